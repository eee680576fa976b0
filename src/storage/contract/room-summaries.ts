import type { Test } from "tap";
import { emptyRoomFields, type RoomFields } from "../../protocol/room-summary.ts";
import type { Database } from "../database.ts";
import type { PublicRoomsQuery, RoomSummaryChange } from "../room-summaries.ts";

interface FixtureRoom extends Partial<RoomFields> {
  readonly roomNid: number;
  readonly members: number;
  readonly isPublic?: boolean;
}

/** A room with so many members, in the directory unless it is said otherwise. */
async function addRoom({ stores }: Database, { roomNid, members, isPublic, ...fields }: FixtureRoom) {
  await change(stores, roomNid, { fields, children: [] }, members);
  await stores.rooms.setPublic(roomNid, isPublic ?? true);
}

async function change(
  stores: Database["stores"],
  roomNid: number,
  summary: RoomSummaryChange,
  members = 0,
): Promise<void> {
  const isNew = (await stores.rooms.byNid(roomNid)) === undefined;
  await stores.commits.commit({
    roomNid,
    ...(isNew && { newRoom: { roomId: `!${roomNid}:hearth.test`, version: "10" } }),
    events: [],
    snapshots: [],
    head: { extremities: [], currentSnapshot: 1 },
    memberships: Array.from({ length: members }, (_, index) => ({
      userNid: index + 1,
      isLocal: false,
      membership: "join",
      eventNid: index + 1,
    })),
    summary,
  });
}

const everything: PublicRoomsQuery = {
  directory: "own",
  searchTerm: undefined,
  roomTypes: undefined,
  from: undefined,
  limit: 10,
};

/** What every back end's store of room summaries does. */
export function roomSummaryStoreContract(t: Test, open: () => Promise<Database>): void {
  t.test("room summaries: commits change what they name and nothing else", async (t) => {
    await using database = await open();
    const { stores } = database;
    t.equal(await stores.roomSummaries.of(1), undefined);
    await addRoom(database, { roomNid: 1, members: 2, name: "One", allowedRoomIds: ["!a:b", "!c:d"] });
    const expected = {
      ...emptyRoomFields,
      isWorldReadable: false,
      guestCanJoin: false,
      roomNid: 1,
      roomId: "!1:hearth.test",
      version: "10",
      joinedMembers: 2,
      name: "One",
      allowedRoomIds: ["!a:b", "!c:d"],
    };
    t.strictSame({ ...(await stores.roomSummaries.of(1)) }, expected);
    await change(stores, 1, { fields: { topic: "T", historyVisibility: "world_readable" }, children: [] });
    t.strictSame(
      { ...(await stores.roomSummaries.of(1)) },
      { ...expected, topic: "T", historyVisibility: "world_readable", isWorldReadable: true },
    );
  });

  t.test("room summaries: children of a space come, change and go", async (t) => {
    await using database = await open();
    const { stores } = database;
    const set = (roomId: string, eventNid: number | null) =>
      change(stores, 1, { fields: {}, children: [{ roomId, eventNid }] });
    await set("!a:b", 5);
    await set("!c:d", 6);
    await set("!a:b", 7);
    t.strictSame(await stores.roomSummaries.childEventNids(1, 10), [7, 6]);
    t.strictSame(await stores.roomSummaries.childEventNids(1, 1), [7]);
    await set("!a:b", null);
    t.strictSame(await stores.roomSummaries.childEventNids(1, 10), [6]);
  });

  t.test("room summaries: the directory by members, in both directions", async (t) => {
    await using database = await open();
    const { roomSummaries } = database.stores;
    const joinRule = "public";
    for (const [roomNid, members] of [1, 3, 3, 0, 2].entries()) {
      await addRoom(database, { roomNid: roomNid + 1, members, joinRule });
    }
    await addRoom(database, { roomNid: 6, members: 5, joinRule, isPublic: false });
    await addRoom(database, { roomNid: 7, members: 5, joinRule: "invite" });
    const list = async (query: Partial<PublicRoomsQuery>) => {
      const { rooms, ...rest } = await roomSummaries.listPublic({ ...everything, ...query });
      return { nids: rooms.map(({ roomNid }) => roomNid), ...rest };
    };
    t.strictSame(await list({}), { nids: [2, 3, 5, 1], hasMore: false, total: 5 });
    t.strictSame(await list({ limit: 2 }), { nids: [2, 3], hasMore: true, total: 5 });
    const forwards = { direction: "forwards", joinedMembers: 3, roomNid: 2 } as const;
    t.strictSame(await list({ from: forwards, limit: 2 }), { nids: [3, 5], hasMore: true, total: 5 });
    const backwards = { direction: "backwards", joinedMembers: 1, roomNid: 1 } as const;
    t.strictSame(await list({ from: backwards, limit: 2 }), { nids: [3, 5], hasMore: true, total: 5 });
  });

  t.test("room summaries: directories of networks, alone and with the server's own", async (t) => {
    await using database = await open();
    const { roomSummaries, appservices } = database.stores;
    const joinRule = "public";
    await addRoom(database, { roomNid: 1, members: 1, joinRule });
    for (const [roomNid, members] of [
      [2, 2],
      [3, 3],
    ] as const) {
      await addRoom(database, { roomNid, members, joinRule, isPublic: false });
    }
    const irc = { appserviceId: "irc", networkId: "libera" };
    for (const roomNid of [1, 2]) await appservices.setListed("irc", "libera", roomNid, true);
    await appservices.setListed("irc", "libera", 2, true);
    await appservices.setListed("irc", "oftc", 3, true);
    const list = async (query: Partial<PublicRoomsQuery>) => {
      const { rooms, total } = await roomSummaries.listPublic({ ...everything, ...query });
      return { nids: rooms.map(({ roomNid }) => roomNid), total };
    };
    t.strictSame(await list({ directory: irc }), { nids: [2, 1], total: 2 });
    t.strictSame(await list({ directory: { ...irc, appserviceId: "xmpp" } }), { nids: [], total: 0 });
    t.strictSame(await list({ directory: "all" }), { nids: [3, 2, 1], total: 3 });
    t.strictSame(await list({}), { nids: [1], total: 1 });
    await appservices.setListed("irc", "libera", 2, false);
    t.strictSame(await list({ directory: irc }), { nids: [1], total: 1 });
    await appservices.keepDirectories(["xmpp"]);
    t.strictSame(await list({ directory: irc }), { nids: [], total: 0 });
  });

  t.test("room summaries: the directory by text and type", async (t) => {
    await using database = await open();
    const { roomSummaries } = database.stores;
    const historyVisibility = "world_readable";
    await addRoom(database, { roomNid: 1, members: 1, historyVisibility, name: "Über", roomType: "m.space" });
    await addRoom(database, { roomNid: 2, members: 1, historyVisibility, topic: "über 50%" });
    const found = async (query: Partial<PublicRoomsQuery>) =>
      (await roomSummaries.listPublic({ ...everything, ...query })).rooms.map(({ roomNid }) => roomNid);
    t.strictSame(await found({ searchTerm: "UBER" }), [1, 2]);
    t.strictSame(await found({ searchTerm: "0%" }), [2]);
    t.strictSame(await found({ roomTypes: ["m.space"] }), [1]);
    t.strictSame(await found({ roomTypes: [null] }), [2]);
    t.strictSame(await found({ roomTypes: [] }), []);
  });
}
