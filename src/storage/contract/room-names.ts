import type { Test } from "tap";
import type { Database } from "../database.ts";

async function addRoom({ stores }: Database, roomNid: number): Promise<void> {
  await stores.commits.commit({
    roomNid,
    newRoom: { roomId: `!${roomNid}:hearth.test`, version: "10" },
    events: [],
    snapshots: [],
    head: { extremities: [], currentSnapshot: 1 },
    memberships: [],
  });
}

/** What every back end's room store does with the names of rooms. */
export function roomNamesStoreContract(t: Test, open: () => Promise<Database>): void {
  t.test("rooms: aliases and the place in the directory move to another room", async (t) => {
    await using database = await open();
    const { rooms } = database.stores;
    for (const roomNid of [1, 2, 3]) await addRoom(database, roomNid);
    await rooms.addAlias({ alias: "#a:hearth.test", roomNid: 1, creatorNid: 7 });
    await rooms.addAlias({ alias: "#b:hearth.test", roomNid: 3, creatorNid: 7 });
    await rooms.setPublic(1, true);
    await rooms.moveNames(1, 2);
    t.match(await rooms.alias("#a:hearth.test"), { roomNid: 2, creatorNid: 7 });
    t.match(await rooms.alias("#b:hearth.test"), { roomNid: 3 });
    t.equal((await rooms.byNid(1))?.isPublic, false);
    t.equal((await rooms.byNid(2))?.isPublic, true);
    await rooms.moveNames(1, 2);
    t.equal((await rooms.byNid(2))?.isPublic, true, "a room without a place takes none away");
  });
}
