import { setTimeout as delay } from "node:timers/promises";

/** Far above what anything takes, so that only what never happens runs into it, even on a busy machine. */
export const patienceMs = 30_000;

/**
 * Waits for something that a test needs, for so long only.
 * @param what is waited for, as in "waited 10 s for …"
 * @throws an error saying what did not happen
 */
export async function within<Value>(
  timeoutMs: number,
  what: string | (() => string),
  done: Promise<Value>,
): Promise<Value> {
  const tooLate = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const text = typeof what === "string" ? what : what();
    tooLate.reject(new Error(`waited ${timeoutMs / 1000} s in vain for ${text}`));
  }, timeoutMs);
  try {
    return await Promise.race([done, tooLate.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Looks again and again for something that happens in the background, for so long only.
 * @param what is waited for, as in "waited 10 s in vain for …"
 * @param probe looks for it: anything but `undefined`, `null` and `false` ends the waiting
 * @param pauseMs between looking and looking again: longer where it takes long anyway, and looking costs something
 * @returns what was found
 * @throws an error saying what did not happen
 */
export async function until<Value>(
  timeoutMs: number,
  what: string,
  probe: Probe<Value>,
  pauseMs?: number,
): Promise<Value> {
  const found = await foundWithin(timeoutMs, probe, pauseMs);
  if (found === undefined) throw new Error(`waited ${timeoutMs / 1000} s in vain for ${what}`);
  return found;
}

/** Looks for something: anything but `undefined`, `null` and `false` is a find. */
type Probe<Value> = () => Promise<Value | undefined | null | false> | Value | undefined | null | false;

/**
 * Looks again and again as `until` does, for a test that tells by itself what it has seen instead.
 * @returns what was found; `undefined` when it did not happen in time
 * @throws what the probe throws
 */
export async function foundWithin<Value>(
  timeoutMs: number,
  probe: Probe<Value>,
  pauseMs = 10,
): Promise<Value | undefined> {
  const endMs = performance.now() + timeoutMs;
  for (;;) {
    const found = await probe();
    if (found !== undefined && found !== null && found !== false) return found;
    if (performance.now() > endMs) return undefined;
    await delay(pauseMs);
  }
}
