import { setImmediate } from "node:timers/promises";
import t from "tap";
import { systemClock } from "./clock.ts";
import { Pace } from "./pace.ts";

/** A clock that stands still until it is moved. */
function heldClock() {
  let nowMs = 0;
  return { clock: { ...systemClock, monotonicMs: () => nowMs }, pass: (ms: number) => (nowMs += ms) };
}

t.test("work that takes little time is not held up", async (t) => {
  const { clock, pass } = heldClock();
  const pace = new Pace(clock);
  let turns = 0;
  const counting = setImmediate().then(() => (turns += 1));
  for (let step = 0; step < 3; step++) {
    pass(1);
    await pace.breathe();
  }
  t.equal(turns, 0, "the event loop has not turned meanwhile");
  await counting;
});

t.test("jobs share the time of a turn, and then get a turn each, in order", async (t) => {
  const { clock, pass } = heldClock();
  const pace = new Pace(clock);
  const steps: string[] = [];
  const job = async (name: string) => {
    for (let step = 0; step < 3; step++) {
      pass(3);
      steps.push(`${name}${step}`);
      await pace.breathe();
    }
  };
  await Promise.all([job("a"), job("b"), job("c")]);
  t.equal(steps.length, 9);
  t.same(steps.slice(0, 3), ["a0", "b0", "c0"], "each comes as far as the first turn goes");
  const last = (name: string) => steps.lastIndexOf(`${name}2`);
  t.ok(last("a") < last("b") || last("a") < last("c"), "nobody is forgotten");
});

t.test("a busy pace lets other work in between", async (t) => {
  const pace = new Pace(systemClock);
  let others = 0;
  const work = { isDone: false };
  const other = (async () => {
    while (!work.isDone) {
      await setImmediate();
      others += 1;
    }
  })();
  const spin = (ms: number) => {
    const end = performance.now() + ms;
    while (performance.now() < end);
  };
  await Promise.all(
    Array.from({ length: 5 }, async () => {
      for (let step = 0; step < 10; step++) {
        spin(1);
        await pace.breathe();
      }
    }),
  );
  work.isDone = true;
  await other;
  t.ok(others >= 8, `${others} turns for others in 50 ms of work`);
});
