import type { Test } from "tap";
import type { Database, Stores } from "../database.ts";
import { userWithDevices } from "./device-sessions.ts";
import { commitMemberships } from "./membership-commits.ts";

const server = "peer.test";
const latest = Number.MAX_SAFE_INTEGER;

interface Fixture {
  readonly stores: Stores;
  readonly alice: number;
  readonly peer: number;
}

/** A local user with two devices, and one of another server; they share no room. */
async function fixture({ stores }: Database): Promise<Fixture> {
  const alice = await userWithDevices(stores, "alice", ["A", "B"]);
  const peer = await stores.names.internUser(`@peer:${server}`, false);
  return { stores, alice, peer };
}

function joinBoth({ stores, alice, peer }: Fixture, roomNid: number): Promise<number> {
  const members = [
    { userNid: peer, isLocal: false, membership: "join" },
    { userNid: alice, isLocal: true, membership: "join" },
  ] as const;
  return commitMemberships(stores, roomNid, members, true);
}

/** What every back end's store of changes of devices does. */
export function deviceUpdateStoreContract(t: Test, open: () => Promise<Database>): void {
  t.test("device updates: each names the one before it; of each device the last counts", async (t) => {
    await using database = await open();
    const all = await fixture(database);
    const { deviceUpdates, devices } = all.stores;
    const { streamId: start } = await deviceUpdates.listOf(all.alice);
    const joined = await joinBoth(all, 1);
    const after = () => deviceUpdates.forServer(server, joined, latest, 10);
    t.strictSame(await after(), { updates: [], lookedUpTo: null });
    await devices.rename(all.alice, "A", "one");
    await devices.rename(all.alice, "B", "two");
    const { updates: both } = await after();
    const [first, second] = both;
    t.match(both, [
      { deviceId: "A", previous: start, displayName: "one", isDeleted: false, keys: null },
      { deviceId: "B", previous: first?.position, displayName: "two" },
    ]);
    await devices.rename(all.alice, "A", "three");
    await devices.remove(all.alice, ["B"]);
    const { updates } = await after();
    t.match(updates, [
      { deviceId: "A", previous: second?.position, displayName: "three" },
      { deviceId: "B", previous: updates[0]?.position, isDeleted: true },
    ]);
    t.equal((await deviceUpdates.listOf(all.alice)).streamId, updates.at(-1)?.position);
    t.strictSame((await deviceUpdates.forServer("other.test", 0, latest, 10)).updates, []);
  });

  t.test("device updates: who comes to share a room is told of all devices, once", async (t) => {
    await using database = await open();
    const all = await fixture(database);
    const { deviceUpdates } = all.stores;
    const { streamId } = await deviceUpdates.listOf(all.alice);
    await joinBoth(all, 1);
    const { updates } = await deviceUpdates.forServer(server, streamId, latest, 10);
    t.strictSame(
      updates.map(({ deviceId }) => deviceId),
      ["A", "B"],
    );
    const joined = await joinBoth(all, 2);
    t.strictSame((await deviceUpdates.forServer(server, joined, latest, 10)).updates, []);
    const other = await deviceUpdates.forServer(server, joined - 1, latest, 10);
    t.strictSame(other.updates, [], "another room has been shared for longer");
  });

  t.test("device updates: page by page, nothing twice and nothing left out", async (t) => {
    await using database = await open();
    const all = await fixture(database);
    const { deviceUpdates, devices } = all.stores;
    let upTo = await joinBoth(all, 1);
    const ids = Array.from({ length: 7 }, (_, index) => `D${index}`);
    for (const deviceId of ids)
      await devices.create(all.alice, { deviceId, displayName: null, createdTs: 1 });
    const found: (string | null)[] = [];
    for (let page = 0; page < 10; page++) {
      const { updates, lookedUpTo } = await deviceUpdates.forServer(server, upTo, latest, 3);
      found.push(...updates.map(({ deviceId }) => deviceId));
      if (lookedUpTo === null) break;
      upTo = lookedUpTo;
    }
    t.strictSame(found, ids);
  });

  t.test("device updates: of devices that are gone the last twenty are remembered", async (t) => {
    await using database = await open();
    const all = await fixture(database);
    const { deviceUpdates, devices } = all.stores;
    const joined = await joinBoth(all, 1);
    const ids = Array.from({ length: 25 }, (_, index) => `D${index}`);
    for (const deviceId of ids)
      await devices.create(all.alice, { deviceId, displayName: null, createdTs: 1 });
    await devices.remove(all.alice, ids);
    const { updates } = await deviceUpdates.forServer(server, joined, latest, 100);
    t.strictSame(
      updates.map(({ deviceId }) => deviceId),
      ids.slice(5),
    );
  });
}
