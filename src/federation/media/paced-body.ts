import type { Clock } from "../../telemetry/clock.ts";

/** A body that comes in more slowly is given up: whoever sends a byte a second would hold a connection for ever. */
const windowMs = 30_000;
const minBytesPerWindow = 64 * 1024;

/** Hands a body on, and calls `tooSlow` once when too little of it has come in for a while. */
export async function* pacedBody(
  body: AsyncIterable<Buffer>,
  clock: Clock,
  tooSlow: () => void,
): AsyncGenerator<Buffer> {
  let bytes = 0;
  let timer = clock.setTimer(windowMs, check);
  function check(): void {
    if (bytes < minBytesPerWindow) return tooSlow();
    bytes = 0;
    timer = clock.setTimer(windowMs, check);
  }
  try {
    for await (const chunk of body) {
      bytes += chunk.length;
      yield chunk;
    }
  } finally {
    timer.cancel();
  }
}
