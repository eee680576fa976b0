import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { maxJsonDepth } from "../protocol/canonical-json.ts";
import { MatrixError } from "../protocol/matrix-error.ts";
import { isNestedDeeper } from "./json-depth.ts";

const defaultMaxBodyBytes = 1024 * 1024;
/** A sender of whom nothing comes for so long is cut off; how long the whole takes is for the listener to bound. */
const stallTimeoutMs = 30_000;
/** For the answer to reach who is cut off. */
const answerGraceMs = 1_000;

/**
 * Reads a JSON body. An empty body counts as `{}`: many clients send none where all keys are optional.
 * @throws MatrixError M_TOO_LARGE, M_NOT_JSON, M_BAD_JSON for JSON that is nested too deep.
 */
export async function readJsonBody(
  incoming: IncomingMessage,
  maxBytes = defaultMaxBodyBytes,
): Promise<unknown> {
  const bytes = await readBytes(incoming, maxBytes);
  if (bytes.length === 0) return {};
  if (!isUtf8(bytes)) throw new MatrixError("M_NOT_JSON", "The request body is not JSON: it is not UTF-8");
  // Who gets to see it may be unable to read it, and what it takes to read it grows faster than its size.
  if (isNestedDeeper(bytes, maxJsonDepth)) {
    throw new MatrixError("M_BAD_JSON", `The request body is nested deeper than ${maxJsonDepth} levels`);
  }
  try {
    return JSON.parse(bytes.toString("utf8")) as unknown;
  } catch (error) {
    const reason = error instanceof SyntaxError ? error.message : "unreadable";
    throw new MatrixError("M_NOT_JSON", `The request body is not JSON: ${reason.slice(0, 200)}`);
  }
}

/** Forms of ours have a few short fields. */
const maxFormBytes = 64 * 1024;

/**
 * Reads what a form of a page sent. Of a field that is there more than once the first counts.
 * @throws MatrixError M_TOO_LARGE, M_UNKNOWN for another type of content.
 */
export async function readFormBody(
  incoming: IncomingMessage,
  maxBytes = maxFormBytes,
): Promise<Record<string, string>> {
  const type = incoming.headers["content-type"] ?? "";
  if (!/^application\/x-www-form-urlencoded\s*(;|$)/i.test(type)) {
    throw new MatrixError("M_UNKNOWN", "The body has to be application/x-www-form-urlencoded");
  }
  const fields = new URLSearchParams((await readBytes(incoming, maxBytes)).toString("utf8"));
  return Object.fromEntries([...fields].toReversed());
}

/**
 * Reads a body as it is.
 * @throws MatrixError M_TOO_LARGE, M_UNKNOWN when it does not arrive.
 */
export function readBytes(incoming: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const announced = Number(incoming.headers["content-length"] ?? 0);
  if (announced > maxBytes) return Promise.reject(tooLarge(maxBytes));
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    const stall = () => {
      fail(new MatrixError("M_UNKNOWN", "The request body did not arrive in time"));
      setTimeout(() => incoming.destroy(), answerGraceMs).unref();
    };
    const timer = setTimeout(stall, stallTimeoutMs);
    const fail = (error: MatrixError) => {
      clearTimeout(timer);
      // What still comes is thrown away, so that the sender gets to reading the answer.
      incoming.off("data", take).resume();
      reject(error);
    };
    const take = (chunk: Buffer) => {
      timer.refresh();
      sizeBytes += chunk.length;
      if (sizeBytes > maxBytes) fail(tooLarge(maxBytes));
      else chunks.push(chunk);
    };
    incoming.on("data", take);
    incoming.on("end", () => {
      clearTimeout(timer);
      const [only] = chunks;
      resolve(chunks.length === 1 && only ? only : Buffer.concat(chunks));
    });
    incoming.on("error", (error) =>
      fail(new MatrixError("M_UNKNOWN", `The request body broke off: ${error.message}`)),
    );
    incoming.on("close", () => clearTimeout(timer));
  });
}

function tooLarge(maxBytes: number): MatrixError {
  return new MatrixError("M_TOO_LARGE", `The request body is larger than ${maxBytes} bytes`);
}
