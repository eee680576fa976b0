/** Time, passed in wherever it is needed, so that a test can hold it. */
export interface Clock {
  /** Wall-clock time in milliseconds since the Unix epoch: for timestamps. It may jump. */
  nowMs(): number;
  /** Milliseconds since some fixed moment: for measuring. It never goes back. */
  monotonicMs(): number;
  /** Calls back once after a delay, unless cancelled or disposed of before. The callback must not throw. */
  setTimer(delayMs: number, callback: () => void): Timer;
}

export interface Timer extends Disposable {
  cancel(): void;
}

/** The moment that a text of RFC 3339 names, in milliseconds since the Unix epoch; `undefined` for any other text. */
export function momentOf(text: string): number | undefined {
  const isWritten = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)$/.test(text);
  const ts = isWritten ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ts) ? undefined : ts;
}

/** The longest delay of Node's timers: a longer one would fire at once. */
const maxDelayMs = 2 ** 31 - 1;

/** The machine's own clock. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer(delayMs, callback) {
    let timeout: NodeJS.Timeout;
    const wait = (remainingMs: number) => {
      const partMs = Math.min(remainingMs, maxDelayMs);
      timeout = setTimeout(() => (remainingMs > partMs ? wait(remainingMs - partMs) : callback()), partMs);
    };
    wait(delayMs);
    const cancel = () => clearTimeout(timeout);
    return { cancel, [Symbol.dispose]: cancel };
  },
};

/** A moment, in milliseconds since the Unix epoch, as RFC 3339 has it, in UTC and to the second. */
export function timeText(ts: number): string {
  return new Date(ts).toISOString().replace(/\.\d+Z$/, "Z");
}

/** A moment, in milliseconds since the Unix epoch, as HTTP headers have it (RFC 9110, section 5.6.7). */
export function httpDate(ts: number): string {
  return new Date(ts).toUTCString();
}

/** The time that an HTTP header names, in milliseconds since the Unix epoch; `undefined` for what is no date. */
export function httpDateTs(text: string): number | undefined {
  const ts = Date.parse(text);
  return Number.isNaN(ts) ? undefined : ts;
}
