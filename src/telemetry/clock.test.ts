import { setTimeout as delay } from "node:timers/promises";
import t from "tap";
import { momentOf, systemClock } from "./clock.ts";

t.test("a timer fires once, after its delay", async (t) => {
  const startMs = systemClock.monotonicMs();
  let calls = 0;
  await new Promise<void>((resolve) => {
    systemClock.setTimer(20, () => {
      calls++;
      resolve();
    });
  });
  t.ok(systemClock.monotonicMs() - startMs >= 19);
  await delay(30);
  t.equal(calls, 1);
});

t.test("a timer that was cancelled, disposed of or is far in the future does not fire", async (t) => {
  let calls = 0;
  const count = () => {
    calls++;
  };
  systemClock.setTimer(5, count).cancel();
  {
    using _timer = systemClock.setTimer(5, count);
  }
  using _inAHundredDays = systemClock.setTimer(100 * 24 * 3600 * 1000, count);
  await delay(30);
  t.equal(calls, 0);
});

t.test("moments that are written down", async (t) => {
  t.equal(momentOf("1970-01-01T00:00:01Z"), 1000);
  t.equal(momentOf("1970-01-01T01:00:00+01:00"), 0);
  for (const text of ["", "none", "2026-01-31", "2026-13-31T00:00:00Z", "2026-01-31T00:00:00", "yesterday"]) {
    t.equal(momentOf(text), undefined, text);
  }
});
