import t from "tap";
import { ManualClock } from "../telemetry/testing/manual-clock.ts";
import { withinTime } from "./within-time.ts";

t.test("work that is done in time leaves no timer behind, however it ends", async (t) => {
  const clock = new ManualClock();
  t.equal(await withinTime(clock, 10, Promise.resolve("done"), "late"), "done");
  const fault = new Error("it goes wrong");
  await t.rejects(withinTime(clock, 10, Promise.reject(fault), "late"), fault);
  t.equal(clock.waitingTimers, 0);
});

t.test("work that takes too long is not waited for, and may fail unheard", async (t) => {
  const clock = new ManualClock();
  const work = Promise.withResolvers<string>();
  const waiting = withinTime(clock, 10, work.promise, "late");
  clock.advance(10);
  t.equal(await waiting, "late");
  work.reject(new Error("nobody hears of it"));
  t.equal(clock.waitingTimers, 0);
});
