import { Readable } from "node:stream";
import { contentDisposition } from "./content-disposition.ts";
import type { ReadPart, ServedFile } from "./file-reply.ts";
import { Reply } from "./reply.ts";
import type { RequestContext } from "./request.ts";

/** A connection on which nothing moves for this long is closed, whichever side is to blame. */
const stallTimeoutMs = 60_000;

/**
 * A file as servers get it: a part in JSON that describes it, and then the file (server-server API, "Content Repository").
 * @param boundary that the file cannot hold
 */
export async function multipartReply(
  file: ServedFile,
  read: ReadPart,
  boundary: string,
  context: RequestContext,
): Promise<Reply> {
  const { sizeBytes, contentType, filename } = file;
  const start = Buffer.from(
    `--${boundary}\r\nContent-Type: application/json\r\n\r\n{}\r\n` +
      `--${boundary}\r\nContent-Type: ${contentType}\r\n` +
      `Content-Disposition: ${contentDisposition(contentType, filename)}\r\n\r\n`,
  );
  const end = Buffer.from(`\r\n--${boundary}--\r\n`);
  context.incoming.socket.setTimeout(stallTimeoutMs);
  const body = await read({ start: 0, end: sizeBytes });
  return new Reply(
    200,
    Buffer.isBuffer(body) ? Buffer.concat([start, body, end]) : framed(start, body, end, context),
    {
      "Content-Length": String(start.length + sizeBytes + end.length),
      // Without quotation marks, which Synapse takes for a part of it.
      "Content-Type": `multipart/mixed; boundary=${boundary}`,
    },
  );
}

function framed(start: Buffer, body: Readable, end: Buffer, context: RequestContext): Readable {
  async function* pieces(): AsyncGenerator<Buffer> {
    yield start;
    yield* body;
    yield end;
  }
  const stream = Readable.from(pieces(), { objectMode: false });
  // Part of the file has been sent by then: only a broken connection tells the server that it is not all.
  stream.once("error", () => context.incoming.destroy());
  return stream;
}
