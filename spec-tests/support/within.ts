import { setTimeout as delay } from "node:timers/promises";

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
 * Asks again and again until something is so that happens in the background, for so long only.
 * @param what is waited for, as in "waited 10 s in vain for …"
 * @param pauseMs between asking and asking again: longer where it takes long anyway, and asking costs something
 * @throws an error saying what did not happen
 */
export async function until(
  timeoutMs: number,
  what: string,
  isSo: () => boolean | Promise<boolean>,
  pauseMs = 10,
): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while (!(await isSo())) {
    if (performance.now() > endMs) throw new Error(`waited ${timeoutMs / 1000} s in vain for ${what}`);
    await delay(pauseMs);
  }
}
