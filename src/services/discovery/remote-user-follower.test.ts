import { setImmediate as turn } from "node:timers/promises";
import t from "tap";
import { createLogTo } from "../../telemetry/log.ts";
import { ManualClock } from "../../telemetry/testing/manual-clock.ts";
import { RemoteUserFollower } from "./remote-user-follower.ts";

t.test(
  "members are taken up a moment after they come, until there are no more, and again after a fault",
  async (t) => {
    const clock = new ManualClock();
    let [calls, left, isBroken] = [0, 3, false];
    const store = {
      async followRemote() {
        calls += 1;
        if (isBroken) throw new Error("the disk is full");
        return --left > 0;
      },
    };
    const pass = async (durationMs: number) => {
      clock.advance(durationMs);
      for (let count = 0; count < 10; count++) await turn();
    };
    const follower = new RemoteUserFollower({ store, clock, log: createLogTo(process.stderr, "fatal") });
    await pass(1_000);
    t.equal(calls, 3, "what came while the server was not running");
    await pass(60_000);
    t.equal(calls, 3);
    follower.committed(1, [{ stream: "presence", nid: 1, position: 1 }]);
    t.equal(clock.waitingTimers, 0);
    for (let position = 2; position < 20; position++)
      follower.committed(position, [{ stream: "membership", nid: 1, position }]);
    isBroken = true;
    await pass(1_000);
    t.equal(calls, 4);
    isBroken = false;
    await pass(29_000);
    t.equal(calls, 4);
    await pass(1_000);
    t.equal(calls, 5);
    follower.committed(20, [{ stream: "timeline", nid: 1, position: 20 }]);
    await follower[Symbol.asyncDispose]();
    t.equal(clock.waitingTimers, 0);
  },
);
