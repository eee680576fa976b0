import { pipeline, Readable } from "node:stream";
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

/** Names and values by turns. */
type HeaderList = readonly (string | string[])[];

const commonHeaders: HeaderList = Object.entries(corsHeaders).flat();
/** Without a charset, as the specification writes it ("API Standards"): JSON is UTF-8, and some clients compare the words. */
const jsonType = { "Content-Type": "application/json" } as const;
const jsonHeaders: HeaderList = [...commonHeaders, ...Object.entries(jsonType).flat()];

/** As much goes to the socket with the head of the answer. */
const atOnceBytes = 64 * 1024;

/** What has no body by definition (RFC 9110). */
const bodiless: ReadonlySet<number> = new Set([204, 304]);

/** Lets a browser ask for what it is about to send. */
export function answerPreflight(koa: Context): Promise<void> {
  return write(koa, 204, commonHeaders, {}, []);
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
  if (!(result instanceof Reply)) return write(koa, 200, jsonHeaders, {}, piecesOf(result));
  const { status, headers, body } = result;
  if (body instanceof Readable) {
    stream(koa, status, headers, body);
  } else if (body === undefined || typeof body === "string" || Buffer.isBuffer(body)) {
    await write(koa, status, commonHeaders, headers, body === undefined ? [] : [body]);
  } else {
    await write(koa, status, commonHeaders, { ...jsonType, ...headers }, piecesOf(body));
  }
}

/** Lets somebody else write the answer, who finds the headers of every answer set. */
export async function handOver(koa: Context, result: HandedOver): Promise<void> {
  koa.set(corsHeaders);
  await result.answer(koa.req, koa.res);
}

function piecesOf(body: object): readonly (string | Buffer)[] {
  return body instanceof JsonChunks ? body.pieces() : [JSON.stringify(body)];
}

function withOwn(common: HeaderList, own: ReplyHeaders): (string | string[])[] {
  return [...common, ...Object.entries(own).flat(1)];
}

/** Hands the pieces to the socket as they are: a big answer is not put together in memory first. */
async function write(
  { req, res }: Context,
  status: number,
  common: HeaderList,
  own: ReplyHeaders,
  pieces: readonly (string | Buffer)[],
): Promise<void> {
  if (bodiless.has(status)) {
    res.writeHead(status, withOwn(common, own)).end();
    return;
  }
  const [only = ""] = pieces;
  const sizeBytes = pieces.reduce((sum, piece) => sum + Buffer.byteLength(piece), 0);
  res.writeHead(status, withOwn(common, { ...own, "Content-Length": String(sizeBytes) }));
  if (req.method === "HEAD") {
    res.end();
  } else if (pieces.length <= 1 && sizeBytes <= atOnceBytes) {
    // What is ASCII need not be encoded.
    res.end(only, only.length === sizeBytes ? "latin1" : "utf8");
  } else {
    await sendInBatches(res, pieces);
  }
}

/** Sends a body while it is made. Whoever has only part of it learns so from the connection, which breaks off. */
function stream({ app, req, res }: Context, status: number, headers: ReplyHeaders, body: Readable): void {
  res.writeHead(status, withOwn(commonHeaders, headers));
  if (req.method === "HEAD" || res.destroyed) {
    // Nobody takes it.
    body.destroy();
    res.end();
    return;
  }
  pipeline(body, res, (error) => {
    if (error) app.emit("error", error);
  });
}
