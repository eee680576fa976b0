import { setImmediate } from "node:timers/promises";
import t from "tap";
import type { PushProgress } from "../storage/pushers.ts";
import { createLogTo } from "../telemetry/log.ts";
import { ManualClock } from "../telemetry/testing/manual-clock.ts";
import { type ProgressReport, PushProgressKeeper } from "./push-progress.ts";

function setUp() {
  const clock = new ManualClock();
  const state = {
    report: { upTo: 1, behind: [] } as ProgressReport,
    saved: [] as PushProgress[],
    fails: false,
  };
  const store = {
    saveProgress: async (progress: PushProgress) => {
      if (state.fails) throw new Error("the disk is full");
      state.saved.push(progress);
    },
  };
  const log = createLogTo(process.stderr, "fatal");
  return { clock, state, keeper: new PushProgressKeeper(store, () => state.report, { clock, log }) };
}

t.test("however much happens, it is stored now and then, and only what is new", async (t) => {
  const { clock, state, keeper } = setUp();
  const behind = [{ pusherNid: 1, deliveredUpTo: 5 }];
  state.report = { upTo: 10, behind };
  for (let n = 0; n < 100; n++) keeper.changed();
  t.strictSame(state.saved, []);
  t.equal(clock.waitingTimers, 1);
  clock.advance(5_000);
  await setImmediate();
  t.strictSame(state.saved, [{ upTo: 10, behind, caughtUp: [] }]);
  state.report = { upTo: 11, behind };
  await keeper.save();
  t.strictSame(state.saved[1], { upTo: 11, behind: [], caughtUp: [] });
  state.report = { upTo: 11, behind: [] };
  await keeper.save();
  t.strictSame(state.saved[2], { upTo: 11, behind: [], caughtUp: [1] });
  await keeper.save();
  t.equal(state.saved.length, 3, "nothing is new");
});

t.test("what was behind before the start is known", async (t) => {
  const { state, keeper } = setUp();
  keeper.resume([{ pusherNid: 7, deliveredUpTo: 3 }]);
  await keeper.save();
  t.strictSame(state.saved, [{ upTo: 1, behind: [], caughtUp: [7] }]);
});

t.test("what could not be stored is stored the next time", async (t) => {
  const { state, keeper } = setUp();
  state.fails = true;
  state.report = { upTo: 10, behind: [{ pusherNid: 1, deliveredUpTo: 5 }] };
  await keeper.save();
  state.fails = false;
  await keeper.save();
  t.strictSame(state.saved, [{ upTo: 10, behind: [{ pusherNid: 1, deliveredUpTo: 5 }], caughtUp: [] }]);
});
