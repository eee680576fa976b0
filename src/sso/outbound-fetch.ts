import type { OutboundHttp } from "../outbound/outbound-http.ts";

/** Key sets and answers of providers are a few kilobytes. */
const maxResponseBytes = 1024 * 1024;
const bodilessStatuses: readonly number[] = [204, 205, 304];

/** What a library wants of a request that it makes. */
interface FetchOptions {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: unknown;
}

/** Fetches for a library what it needs from others, by our own connections: no other way leads out of this server. */
export function outboundFetch(http: OutboundHttp, timeoutMs: number) {
  return async (url: string, { method, headers, body }: FetchOptions): Promise<Response> => {
    if (method !== "GET" && method !== "POST") throw new TypeError(`requests by ${method} are not sent`);
    const answer = await http.request({
      method,
      url: new URL(url),
      headers,
      timeoutMs,
      maxResponseBytes,
      ...(body !== undefined && body !== null && { body: bodyText(body) }),
    });
    const { status } = answer;
    const types = answer.headers["content-type"];
    return new Response(bodilessStatuses.includes(status) ? null : new Uint8Array(answer.body), {
      status,
      headers: types === undefined ? {} : { "Content-Type": types },
    });
  };
}

function bodyText(body: unknown): string {
  if (typeof body === "string") return body;
  if (body instanceof URLSearchParams) return body.toString();
  throw new TypeError("only texts and forms are sent");
}
