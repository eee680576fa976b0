import { setImmediate } from "node:timers/promises";
import t from "tap";
import { ManualClock } from "../telemetry/testing/manual-clock.ts";
import { Rounds } from "./rounds.ts";

/** Rounds that last until they are told to end. */
function setUp() {
  const clock = new ManualClock();
  const underWay: (() => void)[] = [];
  let begun = 0;
  const rounds = new Rounds(() => {
    begun += 1;
    return new Promise((resolve) => underWay.push(resolve));
  }, clock);
  const end = async () => {
    underWay.shift()?.();
    await setImmediate();
  };
  return { clock, rounds, end, begun: () => begun };
}

t.test("one round runs at a time; whoever asks meanwhile is served by one more", async (t) => {
  const { rounds, end, begun } = setUp();
  rounds.begin();
  t.equal(begun(), 0, "whoever asks goes on first");
  await setImmediate();
  t.equal(begun(), 1);
  rounds.begin();
  rounds.begin();
  await setImmediate();
  t.equal(begun(), 1);
  await end();
  t.equal(begun(), 2);
  await end();
  t.equal(begun(), 2);
  rounds.begin();
  await setImmediate();
  t.equal(begun(), 3);
  await end();
});

t.test("a round after a while comes once, and not at all when another has begun before", async (t) => {
  const { clock, rounds, end, begun } = setUp();
  rounds.beginIn(1_000);
  rounds.beginIn(2_000);
  clock.advance(1_000);
  await setImmediate();
  t.equal(begun(), 0);
  clock.advance(1_000);
  await setImmediate();
  t.equal(begun(), 1);
  rounds.beginIn(1_000);
  await end();
  rounds.begin();
  await setImmediate();
  t.equal(begun(), 2);
  clock.advance(1_000);
  await end();
  t.equal(begun(), 2);
});

t.test("closing waits for the round under way, and no other begins", async (t) => {
  const { clock, rounds, end, begun } = setUp();
  rounds.begin();
  await setImmediate();
  rounds.begin();
  let isClosed = false;
  const closing = rounds[Symbol.asyncDispose]().then(() => (isClosed = true));
  await setImmediate();
  t.notOk(isClosed);
  t.ok(rounds.isClosed);
  rounds.beginIn(10);
  await end();
  await closing;
  rounds.begin();
  clock.advance(10);
  await setImmediate();
  t.equal(begun(), 1);
});
