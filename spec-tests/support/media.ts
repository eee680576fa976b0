import { assertMatchesSpec } from "./openapi.ts";
import type { TestClient } from "./client.ts";

export type Bytes = string | Uint8Array<ArrayBuffer>;

export interface Sending {
  /** `undefined`: the request says nothing of it. */
  readonly type?: string | undefined;
  readonly filename?: string;
}

/** An answer with bytes in it. */
export interface BytesAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Buffer;
  /** The bytes as JSON, for errors. */
  readonly json: Record<string, unknown>;
}

/** Sends bytes to a media endpoint and holds the answer to its description. */
export async function send(
  client: TestClient,
  operationId: string,
  method: string,
  path: string,
  bytes: Bytes,
  { type = "application/octet-stream", filename }: Sending = {},
): Promise<BytesAnswer> {
  const query = filename === undefined ? "" : `?filename=${encodeURIComponent(filename)}`;
  const response = await fetch(client.server.url + path + query, {
    method,
    headers: { Authorization: `Bearer ${client.accessToken}`, "Content-Type": type },
    body: bytes,
  });
  const answer = await answerOf(response);
  assertMatchesSpec(operationId, answer.status, answer.json);
  return answer;
}

/** Uploads a file and returns its `mxc://` URI. */
export async function upload(client: TestClient, bytes: Bytes, sending?: Sending): Promise<string> {
  const answer = await send(client, "uploadContent", "POST", "/_matrix/media/v3/upload", bytes, sending);
  const uri = answer.json["content_uri"];
  if (typeof uri !== "string")
    throw new Error(`uploading failed: ${answer.status} ${answer.bytes.toString()}`);
  return uri;
}

/** Asks for bytes; an error is held to the description of the operation. */
export async function fetchBytes(
  client: TestClient,
  operationId: string,
  path: string,
  headers: Record<string, string> = {},
  method = "GET",
): Promise<BytesAnswer> {
  const response = await fetch(client.server.url + path, {
    method,
    headers: { Authorization: `Bearer ${client.accessToken}`, ...headers },
  });
  const answer = await answerOf(response);
  if (answer.status >= 400 && method !== "HEAD") assertMatchesSpec(operationId, answer.status, answer.json);
  return answer;
}

/** The path of an `mxc://` URI below an endpoint of the content repository. */
export function mediaPath(endpoint: "download" | "thumbnail", uri: string, rest = ""): string {
  return `/_matrix/client/v1/media/${endpoint}/${uri.slice("mxc://".length)}${rest}`;
}

async function answerOf(response: Response): Promise<BytesAnswer> {
  const bytes = Buffer.from(await response.arrayBuffer());
  const isJson = response.headers.get("content-type")?.startsWith("application/json") === true;
  const json = isJson && bytes.length > 0 ? (JSON.parse(bytes.toString()) as Record<string, unknown>) : {};
  return { status: response.status, headers: response.headers, bytes, json };
}
