import { setImmediate as turn } from "node:timers/promises";
import t from "tap";
import type { UserId } from "../../protocol/identifiers.ts";
import type { AccountStore, Departure } from "../../storage/accounts.ts";
import { createLogTo } from "../../telemetry/log.ts";
import { ManualClock } from "../../telemetry/testing/manual-clock.ts";
import { Departures } from "./departures.ts";

const silent = createLogTo(process.stderr, "fatal");

function setUp() {
  const clock = new ManualClock();
  const waiting: Departure[] = [];
  const left: number[] = [];
  const stuck = new Set<number>();
  const accounts = {
    listDepartures: async () => [...waiting],
    async departed(userNid: number) {
      waiting.splice(
        waiting.findIndex((departure) => departure.userNid === userNid),
        1,
      );
    },
  } as Partial<AccountStore> as AccountStore;
  const leaver = {
    async leaveAll({ userNid }: Departure) {
      if (stuck.has(userNid)) throw new Error("stuck");
      left.push(userNid);
    },
  };
  const add = (userNid: number) => waiting.push({ userNid, userId: `@u${userNid}:hearth.test` as UserId });
  return { clock, waiting, left, stuck, add, departures: new Departures(accounts, leaver, clock, silent) };
}

t.test("everybody who was deactivated leaves, those from before a restart too", async (t) => {
  const { departures, add, left, waiting, clock } = setUp();
  add(1);
  add(2);
  departures.begin();
  add(3);
  departures.begin();
  await turn();
  t.strictSame(left, [1, 2, 3]);
  t.strictSame(waiting, []);
  t.equal(clock.waitingTimers, 0);
});

t.test("who cannot leave now does not keep others, and is tried again", async (t) => {
  const { departures, add, left, stuck, waiting, clock } = setUp();
  add(1);
  add(2);
  stuck.add(1);
  departures.begin();
  await turn();
  t.strictSame(left, [2]);
  t.strictSame(
    waiting.map(({ userNid }) => userNid),
    [1],
  );
  stuck.clear();
  clock.advance(5 * 60 * 1000);
  await turn();
  t.strictSame(left, [2, 1]);
  t.equal(clock.waitingTimers, 0);
});

t.test("nothing is begun any more at the end", async (t) => {
  const { departures, add, left, stuck, clock } = setUp();
  add(1);
  stuck.add(1);
  departures.begin();
  await turn();
  t.equal(clock.waitingTimers, 1);
  await departures[Symbol.asyncDispose]();
  t.equal(clock.waitingTimers, 0);
  departures.begin();
  await turn();
  t.strictSame(left, []);
});
