import { Readable } from "node:stream";
import type { Context } from "koa";
import { sendInBatches } from "./chunked-answer.ts";
import { type HandedOver, JsonChunks, Reply, type ReplyHeaders } from "./reply.ts";

/** Every answer has them: clients run in browsers too ("Web Browser Clients"). */
const corsHeaders = {
  "Access-Control-Allow-Origin": "*",
  "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, DELETE, OPTIONS",
  "Access-Control-Allow-Headers":
    "X-Requested-With, Content-Type, Authorization, Date, If-Match, If-None-Match",
  "Access-Control-Expose-Headers": "Retry-After, ETag",
} as const;

/** Without a charset, as the specification writes it ("API Standards"): JSON is UTF-8, and some clients compare the words. */
const jsonType = { "Content-Type": "application/json" } as const;

/** As much goes to the socket with the head of the answer. */
const atOnceBytes = 64 * 1024;

/** What has no body by definition (RFC 9110). */
const bodiless: ReadonlySet<number> = new Set([204, 304]);

/** Lets a browser ask for what it is about to send. */
export function answerPreflight(koa: Context): Promise<void> {
  return write(koa, 204, {}, []);
}

/**
 * Sends what a handler has returned. Head and body go to the socket at once: Koa would take one string, buffer or
 * stream, set each header by itself, and measure the body again.
 */
export async function answer(koa: Context, result: object): Promise<void> {
  if (koa.res.headersSent) {
    // Part of another answer: only a broken connection tells the client that it is not all.
    koa.res.destroy();
    return;
  }
  const { status, headers, body } = result instanceof Reply ? result : new Reply(200, result);
  if (body instanceof Readable) {
    koa.set({ ...corsHeaders, ...headers });
    koa.body = body;
    koa.status = status;
  } else if (body === undefined || typeof body === "string" || Buffer.isBuffer(body)) {
    await write(koa, status, headers, body === undefined ? [] : [body]);
  } else {
    const pieces = body instanceof JsonChunks ? body.pieces() : [JSON.stringify(body)];
    await write(koa, status, { ...jsonType, ...headers }, pieces);
  }
}

/** Lets somebody else write the answer, who finds the headers of every answer set. */
export async function handOver(koa: Context, result: HandedOver): Promise<void> {
  koa.respond = false;
  koa.set(corsHeaders);
  await result.answer(koa.req, koa.res);
}

/** Hands the pieces to the socket as they are: a big answer is not put together in memory first. */
async function write(
  koa: Context,
  status: number,
  headers: ReplyHeaders,
  pieces: readonly (string | Buffer)[],
): Promise<void> {
  koa.respond = false;
  const { res } = koa;
  if (bodiless.has(status)) {
    res.writeHead(status, { ...corsHeaders, ...headers }).end();
    return;
  }
  const sizeBytes = pieces.reduce((sum, piece) => sum + Buffer.byteLength(piece), 0);
  res.writeHead(status, { ...corsHeaders, ...headers, "Content-Length": sizeBytes });
  if (koa.method === "HEAD") {
    res.end();
  } else if (pieces.length <= 1 && sizeBytes <= atOnceBytes) {
    res.end(pieces[0]);
  } else {
    await sendInBatches(res, pieces);
  }
}
