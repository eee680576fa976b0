import type { ServerResponse } from "node:http";
import { setImmediate as nextTurn } from "node:timers/promises";

/** What is handed to a socket in one turn of the event loop: the system copies it while everything else waits. */
const batchBytes = 128 * 1024;
/** A client that takes nothing for so long, nor anything of what waits in the system, has gone. */
const defaultStallTimeoutMs = 60_000;

/**
 * Sends the body of an answer as fast as the client takes it, a part in each turn of the event loop. The headers have to
 * be set. It ends early when the client goes away.
 */
export async function sendInBatches(
  response: ServerResponse,
  pieces: readonly (string | Buffer)[],
  stallTimeoutMs = defaultStallTimeoutMs,
): Promise<void> {
  response.cork();
  let corkedBytes = 0;
  for (const part of parts(pieces)) {
    response.write(part);
    corkedBytes += part.length;
    if (corkedBytes < batchBytes) continue;
    response.uncork();
    corkedBytes = 0;
    if (response.writableNeedDrain) await drained(response, stallTimeoutMs);
    await nextTurn();
    if (response.destroyed) return;
    response.cork();
  }
  response.end();
  response.uncork();
}

/** The same without any piece that is larger than a batch. */
function* parts(pieces: readonly (string | Buffer)[]): Generator<Buffer, void, undefined> {
  for (const piece of pieces) {
    const bytes = typeof piece === "string" ? Buffer.from(piece) : piece;
    for (let start = 0; start < bytes.length; start += batchBytes) {
      yield bytes.subarray(start, start + batchBytes);
    }
  }
}

/** Resolves when the client has taken what was written, or has gone. */
function drained(response: ServerResponse, stallTimeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    // The connection ends then. Node.js counts each part of a batch that has gone out: a slow client is no dead one.
    response.setTimeout(stallTimeoutMs);
    const done = () => {
      response.setTimeout(0);
      response.off("drain", done);
      response.off("close", done);
      resolve();
    };
    response.once("drain", done);
    response.once("close", done);
  });
}
