import t from "tap";
import { ManualClock } from "../telemetry/testing/manual-clock.ts";
import { rulesOfVersion } from "../protocol/testing/room-version.ts";
import type { RoomId } from "../protocol/identifiers.ts";
import type { ResolutionRequest, SnapshotRow } from "../storage/state.ts";
import type { StateDelta } from "./delta.ts";
import type { Room } from "./room-index.ts";
import { StateResolver } from "./state-resolver.ts";
import { StateSnapshots } from "./state-snapshots.ts";

const room: Room = { roomNid: 1, roomId: "!room:a.test" as RoomId, version: rulesOfVersion("11") };

/** Two states that are stored, and a resolver to whom storage always answers the same. */
function scene(answer: StateDelta) {
  const asked: (readonly number[])[] = [];
  const stored = new Map<number, SnapshotRow>();
  let nid = 0;
  const snapshots = new StateSnapshots(
    { snapshot: (snapshotNid) => Promise.resolve(stored.get(snapshotNid)) },
    () => ++nid,
  );
  const store = {
    resolve({ snapshotNids }: ResolutionRequest) {
      asked.push(snapshotNids);
      return Promise.resolve({ snapshotNid: Math.min(...snapshotNids), changes: answer });
    },
  };
  const states = [1, 2].map((eventNid) => snapshots.first(new Map([[7, eventNid]])));
  for (const row of states) stored.set(row.snapshotNid, row);
  snapshots.settled(states, true);
  const resolver = new StateResolver(store, snapshots, new ManualClock());
  const resolve = async (...snapshotNids: number[]) => {
    const made: SnapshotRow[] = [];
    const resolved = await resolver.resolve(room, snapshotNids, { snapshots: made, stateEvents: [] });
    return { resolved, made };
  };
  return { asked, snapshots, resolve };
}

t.test(
  "a fork of which one state prevails is resolved once, whatever order its states come in",
  async (t) => {
    const { asked, resolve } = scene(new Map());
    t.same(await resolve(1, 2), { resolved: 1, made: [] });
    t.same(await resolve(2, 1), { resolved: 1, made: [] });
    t.same(await resolve(1, 2, 2), { resolved: 1, made: [] });
    t.same(asked, [[1, 2]]);
  },
);

t.test("a new state of a fork is made once", async (t) => {
  const { asked, snapshots, resolve } = scene(new Map([[8, 3]]));
  const { resolved, made } = await resolve(1, 2);
  t.equal(made[0]?.snapshotNid, resolved);
  snapshots.settled(made, true);
  t.same(await resolve(1, 2), { resolved, made: [] });
  t.equal(asked.length, 1);
});

t.test("a new state that could not be stored is made again", async (t) => {
  const { asked, snapshots, resolve } = scene(new Map([[8, 3]]));
  const lost = await resolve(1, 2);
  snapshots.settled(lost.made, false);
  const { resolved, made } = await resolve(1, 2);
  t.not(resolved, lost.resolved);
  t.equal(made[0]?.snapshotNid, resolved);
  t.equal((await snapshots.map(resolved)).get(8), 3);
  t.equal(asked.length, 2);
});
