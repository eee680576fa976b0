import { Agent, request } from "node:http";
import { isJsonObject, type JsonObject } from "../../src/protocol/json.ts";

const agent = new Agent({ keepAlive: true, maxSockets: 8 });
/** Nothing that is asked here takes long: whoever takes this long hangs. */
const timeoutMs = 20_000;

export interface RawRequest {
  readonly method: string;
  /** Sent as it is: nothing is encoded or made shorter. */
  readonly path: string;
  readonly accessToken?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as it is. */
  readonly body?: string | Buffer;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** The body when it is a JSON object, else an empty object. */
  readonly json: JsonObject;
}

/**
 * Sends a request as it is given, where `fetch` would mend paths and headers.
 * @throws when there is no answer in time
 */
export function rawRequest(url: string, asked: RawRequest): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  const headers = {
    ...(asked.accessToken !== undefined && { Authorization: `Bearer ${asked.accessToken}` }),
    ...(asked.body !== undefined && lengthOf(asked.body, asked.headers)),
    ...asked.headers,
  };
  return new Promise((resolve, reject) => {
    const { method, path } = asked;
    const sent = request({ agent, hostname, port, method, path, headers, timeout: timeoutMs }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString("utf8");
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text,
          json: jsonObjectOf(text),
        });
        // An answer that comes before the whole body was sent leaves a connection that is of no more use.
        if (!sent.writableFinished) sent.destroy();
      });
    });
    sent.on("error", reject);
    sent.on("timeout", () => sent.destroy(new Error(`no answer to ${method} ${path.slice(0, 200)}`)));
    sent.end(asked.body);
  });
}

function lengthOf(body: string | Buffer, headers: RawRequest["headers"] = {}): Record<string, string> {
  return "Transfer-Encoding" in headers ? {} : { "Content-Length": String(Buffer.byteLength(body)) };
}

function jsonObjectOf(text: string): JsonObject {
  if (!text.startsWith("{")) return {};
  const parsed: unknown = JSON.parse(text);
  return isJsonObject(parsed) ? parsed : {};
}
