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
