import { Readable } from "node:stream";
import { requestedRange } from "./byte-range.ts";
import { contentDisposition } from "./content-disposition.ts";
import { matchesEntityTag } from "./entity-tag.ts";
import { Reply } from "./reply.ts";
import type { RequestContext } from "./request.ts";

/** What is known of a file that is to be sent. */
export interface ServedFile {
  /** Names the bytes. */
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly contentType: string;
  readonly filename: string | null;
}

/** Reads bytes `start` to `end`, the latter excluded. */
export type ReadPart = (range: { start: number; end: number }) => Promise<Buffer | Readable>;

/** A connection on which nothing moves for this long is closed, whichever side is to blame. */
const stallTimeoutMs = 60_000;

/** A file's bytes never change, and whoever may have them may keep them. */
const fileHeaders = {
  "Accept-Ranges": "bytes",
  "Cache-Control": "private, max-age=31536000, immutable",
  // "The recommended policy is ..."
  "Content-Security-Policy":
    "sandbox; default-src 'none'; script-src 'none'; plugin-types application/pdf; style-src 'unsafe-inline'; object-src 'self';",
  "Cross-Origin-Resource-Policy": "cross-origin",
  "X-Content-Type-Options": "nosniff",
} as const;

/** A file, or the part of it that is asked for (client-server API, "Content repository"; RFC 9110, 13 and 14). */
export async function fileReply(file: ServedFile, read: ReadPart, context: RequestContext): Promise<Reply> {
  const { sha256, sizeBytes, contentType, filename } = file;
  const { range, "if-range": ifRange, "if-none-match": ifNoneMatch } = context.incoming.headers;
  const etag = `"${sha256}"`;
  const headers = { ...fileHeaders, ETag: etag };
  if (matchesEntityTag(ifNoneMatch, etag)) return new Reply(304, undefined, headers);
  const part = ifRange === undefined || ifRange === etag ? requestedRange(range, sizeBytes) : undefined;
  if (part === "unsatisfiable") {
    const error = { errcode: "M_INVALID_PARAM", error: `The file has ${sizeBytes} bytes` };
    return new Reply(416, error, { "Content-Range": `bytes */${sizeBytes}` });
  }
  const { start, end } = part ?? { start: 0, end: sizeBytes };
  context.incoming.socket.setTimeout(stallTimeoutMs);
  const body = await read({ start, end });
  // Part of the file has been sent by then: only a broken connection tells the client that it is not all.
  if (body instanceof Readable) body.once("error", () => context.incoming.destroy());
  return new Reply(part ? 206 : 200, body, {
    ...headers,
    ...(part && { "Content-Range": `bytes ${start}-${end - 1}/${sizeBytes}` }),
    "Content-Length": String(end - start),
    "Content-Type": contentType,
    "Content-Disposition": contentDisposition(contentType, filename),
  });
}
