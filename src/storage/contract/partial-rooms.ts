import type { Test } from "tap";
import type { RestatedEvent } from "../commits.ts";
import type { Database } from "../database.ts";
import { eventFlags } from "../events.ts";
import { commitEvents, eventIdOf, type FixtureEvent, roomNid } from "./room-fixture.ts";

const [alice, stranger] = [7, 8];
const joinNid = 2;
const whole = 5;
const latest = Number.MAX_SAFE_INTEGER;

/** What a room may have got since it was joined without its members; the join itself is the second event. */
const timeline: readonly FixtureEvent[] = [
  { eventNid: 1, senderNid: stranger },
  { eventNid: joinNid, senderNid: alice, flags: eventFlags.handedOver },
  {
    eventNid: 3,
    senderNid: stranger,
    stickyUntilTs: 100,
    relation: { targetId: eventIdOf(1), relation: "m.thread" },
  },
  { eventNid: 4, senderNid: alice },
  { eventNid: 5, senderNid: stranger, flags: eventFlags.relayed },
  { eventNid: 6, senderNid: stranger, flags: eventFlags.rejected, inTimeline: false },
];

/** A room that was joined without its members, and the positions of its events. */
async function partialRoom(database: Database): Promise<readonly (number | null)[]> {
  const { partialRooms } = database.stores;
  await partialRooms.begin({ roomNid, joinId: eventIdOf(joinNid), servers: ["a.test", "b.test"] });
  const join = { userNid: alice, isLocal: true, membership: "join", eventNid: joinNid } as const;
  return commitEvents(database, timeline, { memberships: [join] });
}

async function placesOf({ stores }: Database) {
  const events = await stores.events.byNids(timeline.map(({ eventNid }) => eventNid));
  return new Map(events.map((event) => [event.eventNid, event]));
}

const restated = (eventNid: number, changes: Partial<RestatedEvent> = {}): RestatedEvent => ({
  eventNid,
  stateBefore: whole,
  stateAfter: whole,
  roomState: null,
  flags: 0,
  replaces: null,
  inTimeline: true,
  ...changes,
});

/** What every back end does with rooms of which not all members are known. */
export function partialRoomStoreContract(t: Test, open: () => Promise<Database>): void {
  t.test("partial rooms: one row for each, that of the newest join", async (t) => {
    await using database = await open();
    const { partialRooms } = database.stores;
    await partialRooms.begin({ roomNid: 1, joinId: "$1", servers: ["a.test"] });
    await partialRooms.begin({ roomNid: 2, joinId: "$2", servers: [] });
    const newer = { roomNid: 1, joinId: "$3", servers: ["b.test", "c.test"] };
    await partialRooms.begin(newer);
    t.same(await partialRooms.all(), [newer, { roomNid: 2, joinId: "$2", servers: [] }]);
    await partialRooms.end(2);
    t.same(await partialRooms.all(), [newer]);
    t.same(await partialRooms.completed(), [], "nobody has learned of the members");
  });

  t.test("partial rooms: what others have sent since the join is displaced at the end", async (t) => {
    await using database = await open();
    const { partialRooms, stickyEvents, relations } = database.stores;
    const positions = await partialRoom(database);
    await partialRooms.end(roomNid);
    const places = await placesOf(database);
    for (const eventNid of [3, 6]) {
      const displaced = { position: null, stateBefore: null, stateAfter: null, roomState: null };
      t.match(places.get(eventNid), displaced, eventIdOf(eventNid));
      t.ok((places.get(eventNid)?.flags ?? 0) & eventFlags.outlier, eventIdOf(eventNid));
    }
    for (const [eventNid, why] of [
      [1, "it was there before"],
      [joinNid, "the join"],
      [4, "by a user of this server"],
      [5, "this server tells others of it"],
    ] as const) {
      t.equal(places.get(eventNid)?.position, positions[eventNid - 1], why);
      t.notOk((places.get(eventNid)?.flags ?? 0) & eventFlags.outlier, why);
    }
    t.same(await stickyEvents.inRooms([roomNid], 0, latest, 10, 9), []);
    t.same(await relations.relatedTargets(roomNid, [eventIdOf(1)], null, null), []);
  });

  t.test("partial rooms: restated events keep, lose or get their places", async (t) => {
    await using database = await open();
    const { commits, stickyEvents, relations, rooms, state } = database.stores;
    const positions = await partialRoom(database);
    t.equal((await relations.relatedTargets(roomNid, [eventIdOf(1)], null, null)).length, 1);
    const snapshot = { snapshotNid: whole, parentNid: null, height: 0, delta: new Uint8Array([1]) };
    await commits.restate({
      roomNid,
      events: [
        restated(joinNid, { flags: eventFlags.handedOver, replaces: 1 }),
        restated(3, { flags: eventFlags.softFailed, inTimeline: false }),
        restated(4, { roomState: whole }),
        restated(6),
      ],
      snapshots: [snapshot],
      head: { extremities: [4, 6], currentSnapshot: whole },
      memberships: [],
    });
    const places = await placesOf(database);
    t.match(places.get(joinNid), { position: positions[1], stateBefore: whole, replaces: 1 });
    t.match(places.get(3), { position: null, flags: eventFlags.softFailed, stateAfter: whole });
    t.match(places.get(4), { position: positions[3], roomState: whole });
    t.match(places.get(5), { position: positions[4], flags: eventFlags.relayed }, "what is not told stays");
    const shown = places.get(6)?.position ?? 0;
    t.ok(shown > (positions[4] ?? 0), "what was not shown comes last");
    t.match(await rooms.byNid(roomNid), { currentSnapshot: whole, lastPosition: shown });
    t.same(await rooms.withEventsAfter(positions[4] ?? 0), [roomNid]);
    t.same(
      (await rooms.extremities(roomNid)).map(({ eventNid }) => eventNid),
      [4, 6],
    );
    t.match(await state.snapshot(whole), { height: 0, parentNid: null });
    t.same(await stickyEvents.inRooms([roomNid], 0, latest, 10, 9), []);
    t.same(await relations.relatedTargets(roomNid, [eventIdOf(1)], null, null), []);
  });

  t.test("partial rooms: a restatement makes a room whole, with its members", async (t) => {
    await using database = await open();
    const { commits, memberships, partialRooms } = database.stores;
    const positions = await partialRoom(database);
    const member = { userNid: stranger, isLocal: false, membership: "join", eventNid: 1 } as const;
    await commits.restate({
      roomNid,
      events: [restated(joinNid)],
      snapshots: [],
      head: { extremities: [joinNid], currentSnapshot: 1 },
      memberships: [member],
    });
    t.same(await partialRooms.all(), []);
    const [completed] = await partialRooms.completed();
    t.equal(completed?.roomNid, roomNid);
    t.ok((completed?.position ?? 0) > (positions[4] ?? 0));
    t.equal((await memberships.of(roomNid, stranger))?.membership, "join");
    await partialRooms.end(roomNid);
    t.equal((await placesOf(database)).get(3)?.position, positions[2], "nothing is left to be displaced");
  });

  t.test("partial rooms: servers that were told of count until the members are known", async (t) => {
    await using database = await open();
    const { commits, destinations, memberships, remoteDeviceLists, deviceLists, names } = database.stores;
    const member = await names.internUser("@member:a.test", false);
    const positions = await partialRoom(database);
    t.same((await destinations.serversInRoom(roomNid)).toSorted(), ["a.test", "b.test"]);
    t.equal(await destinations.usersInRoom(roomNid, "a.test"), 0);
    for (const userId of ["@member:a.test", "@stranger:a.test"]) {
      await remoteDeviceLists.noteEarly(userId, "a.test");
    }
    await remoteDeviceLists.noteEarly("@member:elsewhere.test", "elsewhere.test");
    await commits.restate({
      roomNid,
      events: [restated(joinNid)],
      snapshots: [],
      head: { extremities: [joinNid], currentSnapshot: 1 },
      memberships: [{ userNid: member, isLocal: false, membership: "join", eventNid: 1 }],
    });
    t.same(await destinations.serversInRoom(roomNid), ["a.test"]);
    t.same(await destinations.serversInRoomSince(roomNid, 0), ["a.test"]);
    t.equal((await memberships.of(roomNid, member))?.membership, "join");
    const since = positions[1] ?? 0;
    t.same((await deviceLists.changes(alice, since)).changed, [member], "who has changed devices meanwhile");
    t.same(await remoteDeviceLists.staleUsers("a.test", 10), [member]);
  });
}
