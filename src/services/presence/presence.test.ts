import { setImmediate as turn } from "node:timers/promises";
import t from "tap";
import type { PresenceStore, UserActivity, UserPresence } from "../../storage/presence.ts";
import { createLogTo } from "../../telemetry/log.ts";
import { ManualClock } from "../../telemetry/testing/manual-clock.ts";
import { Presence } from "./presence.ts";

const silent = createLogTo(process.stderr, "fatal");
const alice = 1;
/** Users from here on are of other servers. */
const firstRemote = 100_000;

function setUp(before: readonly UserPresence[] = []) {
  const clock = new ManualClock();
  const rows = new Map(before.map((row) => [row.userNid, row]));
  const rounds: UserPresence[][] = [];
  const fault = { isThere: false };
  const forgotten: number[] = [];
  const store: PresenceStore = {
    find: async (userNid: number) => rows.get(userNid),
    present: async () =>
      [...rows.values()]
        .filter(({ state }) => state !== "offline")
        .map((row) => ({ ...row, isLocal: row.userNid < firstRemote })),
    presentIn: async () => [],
    forgetRemote: async (kept: number) => void forgotten.push(kept),
    changedSince: async () => [],
    async put(changed: readonly UserPresence[]) {
      if (fault.isThere) throw new Error("the disk is full");
      rounds.push([...changed]);
      for (const row of changed) rows.set(row.userNid, row);
    },
    async noteActivity(activity: readonly UserActivity[]) {
      for (const { userNid, lastActiveTs } of activity) {
        const row = rows.get(userNid);
        if (row) rows.set(userNid, { ...row, lastActiveTs });
      }
    },
  };
  const presence = new Presence(store, clock, silent);
  /** Lets time pass in small steps. */
  const pass = async (durationMs: number) => {
    for (let passedMs = 0; passedMs < durationMs; passedMs += 1_000) {
      clock.advance(1_000);
      await turn();
    }
  };
  const told = () => rounds.flat().map(({ userNid, state }) => `${userNid} ${state}`);
  return { clock, presence, rows, rounds, fault, pass, told, forgotten };
}

t.test("who syncs is online, and goes some time after the last sync", async (t) => {
  const { presence, pass, told } = setUp();
  await presence.syncing(alice, "A", "online", 30_000);
  await pass(40_000);
  await presence.syncing(alice, "A", "online", 30_000);
  await pass(55_000);
  t.strictSame(told(), ["1 online"]);
  await pass(15_000);
  t.strictSame(told(), ["1 online", "1 offline"]);
  t.strictSame([...presence.ownUsersPresent()], []);
});

t.test("who does nothing for five minutes is idle until they do something", async (t) => {
  const { presence, pass, told } = setUp();
  const syncFor = async (minutes: number) => {
    for (let count = 0; count < minutes; count++) {
      await presence.syncing(alice, "A", "online", 60_000);
      await pass(60_000);
    }
  };
  await syncFor(4);
  presence.committed(1, [{ position: 1, stream: "timeline", nid: 9, senderNid: alice }]);
  await syncFor(4);
  t.strictSame(told(), ["1 online"]);
  await syncFor(2);
  t.strictSame(told(), ["1 online", "1 unavailable"]);
  presence.committed(2, [{ position: 2, stream: "notifications", nid: alice, readRoomNid: 9 }]);
  await pass(1_000);
  t.strictSame(told().at(-1), "1 online");
});

t.test(
  "doing something makes an idle client's user online for a moment, nobody who is offline",
  async (t) => {
    const { presence, pass, told } = setUp();
    presence.active(alice);
    await presence.syncing(alice, "A", "unavailable", 60_000);
    await pass(10_000);
    presence.active(alice);
    await pass(50_000);
    t.strictSame(told(), ["1 unavailable", "1 online"]);
    await presence.syncing(alice, "A", "unavailable", 60_000);
    await pass(20_000);
    t.strictSame(told(), ["1 unavailable", "1 online", "1 unavailable"]);
  },
);

t.test("changes are told in rounds, further apart the more users are there", async (t) => {
  const { clock, presence, rounds, pass } = setUp();
  for (let user = 1; user <= 1_000; user++) await presence.syncing(user, "A", "online", 60_000);
  await pass(1_000);
  t.strictSame(
    rounds.map(({ length }) => length),
    [1_000],
  );
  for (let count = 0; count < 50; count++) {
    await presence.set(1 + count, "A", "unavailable", null);
    clock.advance(50);
    await turn();
  }
  t.equal(rounds.length, 1, "2.5 s are less than 1,000 times 5 ms");
  await pass(3_000);
  t.strictSame(
    rounds.map(({ length }) => length),
    [1_000, 50],
  );
});

t.test("a status message alone is a change, the same again is none", async (t) => {
  const { presence, pass, rounds } = setUp();
  for (const message of ["a", "b", "b", null]) {
    await presence.set(alice, "A", "online", message);
    await pass(1_000);
  }
  t.strictSame(
    rounds.flat().map(({ statusMessage }) => statusMessage),
    ["a", "b", null],
  );
});

t.test("who joins a room is told to those in it, if they are there", async (t) => {
  const { presence, pass, told } = setUp();
  await presence.syncing(alice, "A", "online", 60_000);
  await pass(1_000);
  for (const nid of [alice, 2]) {
    const membership = { roomNid: 9, joined: true };
    presence.committed(1, [{ position: 1, stream: "membership", nid, membership }]);
  }
  await pass(1_000);
  t.strictSame(told(), ["1 online", "1 online"]);
});

t.test("what could not be stored is told in the next round", async (t) => {
  const { presence, pass, told, fault } = setUp();
  fault.isThere = true;
  await presence.syncing(alice, "A", "online", 60_000);
  await pass(3_000);
  t.strictSame(told(), []);
  fault.isThere = false;
  await pass(2_000);
  t.strictSame(told(), ["1 online"]);
});

t.test("after a restart whoever was there has a moment to come back", async (t) => {
  const row = (userNid: number, state: UserPresence["state"]) =>
    ({ userNid, state, statusMessage: "x", lastActiveTs: 1_700_000_000_000 }) as const;
  const { presence, pass, told } = setUp([row(1, "online"), row(2, "unavailable"), row(3, "offline")]);
  await presence.resume();
  t.strictSame([...presence.ownUsersPresent()], [1, 2]);
  await presence.syncing(1, "A", "online", 60_000);
  await pass(40_000);
  t.strictSame(told(), ["2 offline"]);
  t.match(await presence.of(3), { state: "offline", statusMessage: "x" });
});

t.test("when the server stops, changes and activity are stored, and no timer is left", async (t) => {
  const { clock, presence, rows, pass } = setUp();
  await presence.syncing(alice, "A", "online", 60_000);
  await pass(5_000);
  presence.active(alice);
  await presence.set(2, "B", "unavailable", "bye");
  await presence[Symbol.asyncDispose]();
  t.equal(rows.get(alice)?.lastActiveTs, clock.nowMs());
  t.match(rows.get(2), { state: "unavailable", statusMessage: "bye" });
  t.equal(clock.waitingTimers, 0);
});

const dora = firstRemote;
const told = (state: UserPresence["state"], statusMessage: string | null = null) =>
  ({ state, statusMessage, lastActiveTs: 1_700_000_000_000 }) as const;

t.test("a user of another server is as that says, until it has been silent for half an hour", async (t) => {
  const { presence, pass, told: all } = setUp();
  await presence.heard(dora, told("online", "hello"));
  await pass(20 * 60_000);
  await presence.heard(dora, told("online", "hello"));
  await pass(29 * 60_000);
  t.strictSame(all(), [`${dora} online`]);
  t.match(await presence.of(dora), { state: "online", statusMessage: "hello" });
  await pass(2 * 60_000);
  t.strictSame(all(), [`${dora} online`, `${dora} offline`]);
  t.match(await presence.of(dora), { state: "offline", statusMessage: "hello" }, "it is still known");
  await presence.heard(dora, told("unavailable"));
  await pass(1_000);
  t.match(await presence.of(dora), { state: "unavailable", statusMessage: null });
});

t.test("a message of a user of another server does not make them online", async (t) => {
  const { clock, presence, pass, told: all } = setUp();
  await presence.heard(dora, told("unavailable"));
  presence.committed(1, [{ position: 1, stream: "timeline", nid: 9, senderNid: dora }]);
  await pass(2_000);
  t.strictSame(all(), [`${dora} unavailable`]);
  t.match(await presence.of(dora), { lastActiveTs: clock.nowMs() - 2_000 });
  t.strictSame([...presence.ownUsersPresent()], []);
});

t.test("no server can tell of users of this one", async (t) => {
  const { presence, pass, told: all } = setUp();
  await presence.syncing(alice, "A", "online", 60_000);
  await presence.heard(alice, told("offline", "bye"));
  await pass(1_000);
  t.strictSame(all(), ["1 online"]);
});

t.test("of users of other servers a bounded number is followed, and remembered when they go", async (t) => {
  const { presence, pass, rows, forgotten } = setUp();
  for (let user = 0; user < 20_100; user++) await presence.heard(dora + user, told("online"));
  await presence.heard(dora + 30_000, told("offline"));
  await pass(1_000);
  t.equal(rows.size, 20_000, "and nothing of one who is not there");
  await presence.syncing(alice, "A", "online", 60_000);
  await pass(11_000);
  t.ok(rows.has(alice), "users of this server have room of their own");
  t.strictSame(forgotten, [20_000]);
});

t.test("after a restart a user of another server has half an hour to be heard of", async (t) => {
  const { presence, pass, told: all } = setUp([{ userNid: dora, ...told("online") }]);
  await presence.resume();
  await pass(29 * 60_000);
  t.strictSame(all(), []);
  await pass(2 * 60_000);
  t.strictSame(all(), [`${dora} offline`]);
});
