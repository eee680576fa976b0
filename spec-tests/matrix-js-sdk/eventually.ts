import { setTimeout as delay } from "node:timers/promises";

/** Far above what anything takes, so that only what never happens runs into it, even on a busy machine. */
const timeoutMs = 30_000;
const pauseMs = 20;

/**
 * Waits until a client has come to know something.
 * @param what is waited for, as in "waited for …"
 * @param probe looks for it: anything but `undefined`, `null` and `false` ends the waiting
 * @throws an error saying what did not happen
 */
export async function eventually<Value>(
  what: string,
  probe: () => Promise<Value | undefined | null | false> | Value | undefined | null | false,
): Promise<Value> {
  const deadline = performance.now() + timeoutMs;
  while (performance.now() < deadline) {
    const value = await probe();
    if (value !== undefined && value !== null && value !== false) return value;
    await delay(pauseMs);
  }
  throw new Error(`waited ${timeoutMs / 1000} s in vain for ${what}`);
}
