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
  probe: () => Promise<Value | undefined | null | false> | Value | undefined | null | false,
  pauseMs = 10,
): Promise<Value> {
  const endMs = performance.now() + timeoutMs;
  for (;;) {
    const found = await probe();
    if (found !== undefined && found !== null && found !== false) return found;
    if (performance.now() > endMs) throw new Error(`waited ${timeoutMs / 1000} s in vain for ${what}`);
    await delay(pauseMs);
  }
}
