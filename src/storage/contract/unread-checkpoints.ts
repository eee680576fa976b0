import type { Test } from "tap";
import type { Database } from "../database.ts";
import type { Membership } from "../memberships.ts";
import type { UnreadCheckpoint } from "../unread-checkpoints.ts";

const roomNid = 1;

async function setMembership({ stores }: Database, userNid: number, membership: Membership): Promise<void> {
  const isNew = (await stores.rooms.byNid(roomNid)) === undefined;
  await stores.commits.commit({
    roomNid,
    newRoom: isNew ? { roomId: "!room:hearth.test", version: "11" } : undefined,
    events: [],
    snapshots: [],
    head: { extremities: [], currentSnapshot: 1 },
    memberships: [{ userNid, isLocal: true, membership, eventNid: 1 }],
  });
}

/** What every back end's store of unread counts does. */
export function unreadCheckpointStoreContract(t: Test, open: () => Promise<Database>): void {
  t.test("unread checkpoints: the last one is kept, for those who are in the room", async (t) => {
    await using database = await open();
    const { names, unreadCheckpoints } = database.stores;
    const alice = await names.internUser("@alice:hearth.test", true);
    const bob = await names.internUser("@bob:hearth.test", true);
    await setMembership(database, alice, "join");
    const threads = new Map([
      ["main", { notifications: 3, highlights: 1, first: 5, last: 9 }],
      ["$root", { notifications: 1, highlights: 0, first: 7, last: 7 }],
    ]);
    const checkpoint: UnreadCheckpoint = { userNid: alice, roomNid, countedUpTo: 9, threads };
    t.strictSame(await unreadCheckpoints.ofUser(alice, [roomNid]), []);
    await unreadCheckpoints.save([checkpoint, { ...checkpoint, userNid: bob }]);
    t.strictSame(await unreadCheckpoints.ofUser(alice, [roomNid, 2]), [checkpoint]);
    t.strictSame(await unreadCheckpoints.ofUser(bob, [roomNid]), []);
    const later = { ...checkpoint, countedUpTo: 20, threads: new Map() };
    await unreadCheckpoints.save([later]);
    t.strictSame(await unreadCheckpoints.ofUser(alice, [roomNid]), [later]);
  });

  t.test("unread checkpoints and receipts go when their user leaves the room", async (t) => {
    await using database = await open();
    const { names, receipts, unreadCheckpoints } = database.stores;
    const alice = await names.internUser("@alice:hearth.test", true);
    const place = { userNid: alice, roomNid, roomId: "!room:hearth.test" };
    const receipt = { kind: "m.read", thread: "", eventId: "$e", eventPosition: 1, ts: 1 } as const;
    await setMembership(database, alice, "join");
    await unreadCheckpoints.save([{ userNid: alice, roomNid, countedUpTo: 9, threads: new Map() }]);
    await receipts.put(place, [receipt], null);
    await setMembership(database, alice, "join");
    t.equal((await unreadCheckpoints.ofUser(alice, [roomNid])).length, 1, "a new profile changes nothing");
    await setMembership(database, alice, "leave");
    t.strictSame(await unreadCheckpoints.ofUser(alice, [roomNid]), []);
    t.strictSame(await receipts.ofUser(alice, [roomNid]), []);
  });
}
