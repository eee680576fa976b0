import type { Test } from "tap";
import type { Database } from "../database.ts";
import type { RoomListQuery } from "../room-overviews.ts";

const everything: RoomListQuery = {
  searchTerm: undefined,
  isPublic: undefined,
  isEmpty: undefined,
  order: "name",
  isReversed: false,
  offset: 0,
  limit: 10,
};

async function addRoom({ stores }: Database, roomNid: number, name: string | null, stateEventsAdded: number) {
  await stores.commits.commit({
    roomNid,
    newRoom: { roomId: `!${roomNid}:hearth.test`, version: "10" },
    events: [],
    snapshots: [],
    head: { extremities: [], currentSnapshot: 1, stateEventsAdded },
    memberships: [],
    summary: { fields: { name, creator: "@a:hearth.test" }, children: [] },
  });
}

/** What every back end's store of room overviews does. */
export function roomOverviewStoreContract(t: Test, open: () => Promise<Database>): void {
  t.test(
    "room overviews: all rooms in order, what is missing last, and what is being removed not",
    async (t) => {
      await using database = await open();
      const { roomOverviews, rooms, roomRemovals } = database.stores;
      await addRoom(database, 1, "b", 3);
      await addRoom(database, 2, null, 7);
      await addRoom(database, 3, "Ä", 1);
      await rooms.adopt(4, "!4:elsewhere.test", "11");
      await addRoom(database, 5, "z", 1);
      await roomRemovals.begin(5);
      const nids = async (query: Partial<RoomListQuery>) => {
        const list = await roomOverviews.list({ ...everything, ...query });
        return [list.rooms.map(({ roomNid }) => roomNid), list.total];
      };
      t.strictSame(await nids({}), [[1, 3, 2, 4], 4]);
      t.strictSame(await nids({ isReversed: true, limit: 3 }), [[4, 2, 3], 4]);
      t.strictSame(await nids({ order: "state_events", offset: 1 }), [[1, 3, 4], 4]);
      t.strictSame(await nids({ searchTerm: "a" }), [[3], 1]);
      t.strictSame(await nids({ searchTerm: "!4:else" }), [[4], 1]);
      t.strictSame(await nids({ isEmpty: false }), [[], 0]);
      t.match(await roomOverviews.details(2), {
        stateEvents: 7,
        creator: "@a:hearth.test",
        isFederatable: true,
      });
      t.match(await roomOverviews.details(4), {
        version: "11",
        creator: null,
        joinRule: null,
        stateEvents: 0,
      });
      t.equal(await roomOverviews.details(5), undefined);
    },
  );

  t.test(
    "room overviews: who of this server is in a room, with which devices, and has forgotten it",
    async (t) => {
      await using database = await open();
      const { stores } = database;
      const userNid = await stores.names.internUser("@a:hearth.test", true);
      const set = (membership: "join" | "leave", member: number, isLocal: boolean) =>
        stores.commits.commit({
          roomNid: 1,
          events: [],
          snapshots: [],
          head: { extremities: [], currentSnapshot: 1 },
          memberships: [{ userNid: member, isLocal, membership, eventNid: 1 }],
        });
      await addRoom(database, 1, null, 1);
      t.match(await stores.roomOverviews.details(1), { isForgotten: true, joinedLocalMembers: 0 });
      await set("join", userNid, true);
      await set("join", userNid + 1, false);
      t.match(await stores.roomOverviews.details(1), {
        joinedMembers: 2,
        joinedLocalMembers: 1,
        joinedLocalDevices: 0,
        isForgotten: false,
      });
      t.strictSame(
        await stores.memberships.joinedUserIds(1, 10),
        ["@a:hearth.test"],
        "others have no name here",
      );
      await set("leave", userNid, true);
      await stores.memberships.forget(userNid, 1);
      t.match(await stores.roomOverviews.details(1), { joinedMembers: 1, isForgotten: true });
    },
  );
}
