import { Readable } from "node:stream";
import { JsonChunks, Reply } from "./reply.ts";

/** An answer up to this size is sent whole, with its length. */
const wholeUpToChars = 256 * 1024;

/**
 * An answer of JSON text that is made piece by piece, with no more of it in memory than the client has yet to take.
 * What fails before the answer begins to be sent is an error answer as usual; later the connection breaks off.
 */
export async function jsonStream(
  pieces: AsyncGenerator<string, void, undefined>,
): Promise<JsonChunks | Reply> {
  const first: string[] = [];
  let chars = 0;
  while (chars <= wholeUpToChars) {
    const next = await pieces.next();
    if (next.done) return new JsonChunks(first);
    first.push(next.value);
    chars += next.value.length;
  }
  const body = Readable.from(resumed(first, pieces), { objectMode: false });
  return new Reply(200, body, { "Content-Type": "application/json" });
}

async function* resumed(
  first: readonly string[],
  rest: AsyncGenerator<string, void, undefined>,
): AsyncGenerator<string, void, undefined> {
  yield first.join("");
  yield* rest;
}
