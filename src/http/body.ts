import type { IncomingMessage } from "node:http";
import { MatrixError } from "../protocol/matrix-error.ts";

const defaultMaxBodyBytes = 1024 * 1024;
/** A sender that stalls is cut off. */
const bodyTimeoutMs = 30_000;

/**
 * Reads a JSON body. An empty body counts as `{}`: many clients send none where all keys are optional.
 * @throws MatrixError M_TOO_LARGE, M_NOT_JSON.
 */
export async function readJsonBody(
  incoming: IncomingMessage,
  maxBytes = defaultMaxBodyBytes,
): Promise<unknown> {
  const bytes = await readBytes(incoming, maxBytes);
  if (bytes.length === 0) return {};
  const text = bytes.toString("utf8");
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const reason = error instanceof SyntaxError ? error.message : "unreadable";
    throw new MatrixError("M_NOT_JSON", `The request body is not JSON: ${reason.slice(0, 200)}`);
  }
}

function readBytes(incoming: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const announced = Number(incoming.headers["content-length"] ?? 0);
  if (announced > maxBytes) return Promise.reject(tooLarge(maxBytes));
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    const timer = setTimeout(() => {
      reject(new MatrixError("M_UNKNOWN", "The request body did not arrive in time"));
    }, bodyTimeoutMs);
    incoming.on("data", (chunk: Buffer) => {
      sizeBytes += chunk.length;
      if (sizeBytes > maxBytes) {
        incoming.pause();
        clearTimeout(timer);
        reject(tooLarge(maxBytes));
        return;
      }
      chunks.push(chunk);
    });
    incoming.on("end", () => {
      clearTimeout(timer);
      const [only] = chunks;
      resolve(chunks.length === 1 && only ? only : Buffer.concat(chunks));
    });
    incoming.on("error", (error) => {
      clearTimeout(timer);
      reject(new MatrixError("M_UNKNOWN", `The request body broke off: ${error.message}`));
    });
    incoming.on("close", () => clearTimeout(timer));
  });
}

function tooLarge(maxBytes: number): MatrixError {
  return new MatrixError("M_TOO_LARGE", `The request body is larger than ${maxBytes} bytes`);
}
