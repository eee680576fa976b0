import t from "tap";
import { ManualClock } from "../telemetry/testing/manual-clock.ts";
import { TokenBuckets } from "./token-buckets.ts";

t.test("a burst, then as fast as tokens come back", async (t) => {
  const clock = new ManualClock();
  const buckets = new TokenBuckets({ burst: 3, perSecond: 2 }, clock);
  t.strictSame(
    [1, 2, 3].map(() => buckets.take("a")),
    [0, 0, 0],
  );
  t.equal(buckets.take("a"), 500);
  clock.advance(250);
  t.equal(buckets.take("a"), 250, "a refused attempt costs nothing");
  clock.advance(250);
  t.equal(buckets.take("a"), 0);
  t.equal(buckets.waitMs("a"), 500);
  t.equal(buckets.waitMs("a"), 500, "asking takes nothing");
});

t.test("each key has its own, and a rest fills it no further than the burst", async (t) => {
  const clock = new ManualClock();
  const buckets = new TokenBuckets({ burst: 2, perSecond: 1 }, clock);
  t.equal(buckets.take("a"), 0);
  t.equal(buckets.take("a"), 0);
  t.equal(buckets.take("b"), 0);
  clock.advance(3_600_000);
  t.strictSame(
    [1, 2, 3].map(() => buckets.take("a") > 0),
    [false, false, true],
  );
});
