import { atMost } from "./to-device.ts";
import type { Test } from "tap";
import type { Database } from "../database.ts";
import type { DestinationRow } from "../destinations.ts";
import { commitMessages } from "./message-fixture.ts";
import { newEvent } from "./room-fixture.ts";
import { emptyRoomSummary } from "../../protocol/room-summary.ts";

function row(serverName: string, sentUpTo: number): DestinationRow {
  return {
    serverName,
    sentUpTo,
    deviceListsUpTo: sentUpTo,
    failingSinceTs: null,
    retryTs: null,
    retryIntervalMs: 0,
    farewells: [],
  };
}

/** Makes a room with a user of another server. */
async function roomWith(database: Database, roomNid: number, serverName: string): Promise<void> {
  const { names, commits } = database.stores;
  const userNid = await names.internUser(`@user:${serverName}`, false);
  const snapshotNid = roomNid;
  const eventNid = 1_000_000 + roomNid;
  await commits.commit({
    roomNid,
    newRoom: { roomId: `!${roomNid}:hearth.test`, version: "10" },
    events: [
      {
        ...newEvent({ eventNid, senderNid: userNid }),
        roomNid,
        stateBefore: snapshotNid,
        stateAfter: snapshotNid,
      },
    ],
    snapshots: [{ snapshotNid, parentNid: null, height: 0, delta: new Uint8Array() }],
    head: { extremities: [], currentSnapshot: snapshotNid },
    memberships: [{ userNid, isLocal: false, membership: "join", eventNid }],
    summary: { fields: emptyRoomSummary, children: [] },
  });
}

/** What every back end's store of other servers does. */
export function destinationStoreContract(t: Test, open: () => Promise<Database>): void {
  t.test("destinations: how far they have come is kept, and found by their names", async (t) => {
    await using database = await open();
    const { destinations } = database.stores;
    const failing = {
      ...row("b.test", 2),
      failingSinceTs: 1,
      retryTs: 2,
      retryIntervalMs: 3,
      farewells: [7, 8],
    };
    await destinations.save([row("a.test", 1), row("b.test", 1)]);
    await destinations.save([failing]);
    t.same(await destinations.findAll(["b.test", "unknown.test"]), [failing]);
    t.same(await destinations.findAll([]), []);
    t.equal((await destinations.all()).length, 2);
  });

  t.test("destinations: those that are owed nothing have been sent everything", async (t) => {
    await using database = await open();
    const { destinations } = database.stores;
    await roomWith(database, 1, "idle.test");
    await roomWith(database, 2, "owed.test");
    await destinations.save([row("idle.test", 1), row("owed.test", 1), row("ahead.test", 90)]);
    const upTo = { sentUpTo: 50, deviceListsUpTo: 50 };
    await destinations.settle({ ...upTo, owed: ["owed.test"], inUse: ["owed.test", "ahead.test"] });
    const rows = await destinations.findAll(["ahead.test", "idle.test", "owed.test"]);
    t.same(
      rows.toSorted((a, b) => a.serverName.localeCompare(b.serverName)),
      [row("ahead.test", 90), row("idle.test", 50), row("owed.test", 1)],
    );
  });

  t.test("destinations: those that share no room and are owed nothing are forgotten", async (t) => {
    await using database = await open();
    const { destinations, toDevice } = database.stores;
    await roomWith(database, 1, "shares.test");
    await toDevice.send([], atMost(10), null, [{ serverName: "waits.test", content: "{}" }]);
    const names = ["gone.test", "shares.test", "used.test", "waits.test"];
    await destinations.save(names.map((name) => row(name, 1)));
    await destinations.settle({ sentUpTo: 5, deviceListsUpTo: 5, owed: [], inUse: ["used.test"] });
    const left = await destinations.all();
    t.same(left.map(({ serverName }) => serverName).toSorted(), names.slice(1));
  });

  t.test("destinations: what waits for a server's devices is bounded by its bytes", async (t) => {
    await using database = await open();
    const { destinations, toDevice } = database.stores;
    const content = "x".repeat(100);
    const bound = { maxMessages: 10, maxBytes: 450 };
    const send = (serverName: string) => toDevice.send([], bound, null, [{ serverName, content }]);
    for (let count = 0; count < 4; count++) t.same((await send("full.test")).fullServers, []);
    t.same((await send("full.test")).fullServers, ["full.test"]);
    t.same((await send("other.test")).fullServers, []);
    t.equal((await destinations.toDevice("full.test", 10)).length, 4);
    const [oldest] = await destinations.toDevice("full.test", 1);
    await destinations.removeToDevice([oldest?.messageNid ?? 0]);
    t.same((await send("full.test")).fullServers, [], "there is room again");
    t.same((await send("full.test")).fullServers, ["full.test"]);
  });

  t.test("destinations: what is unsent in a room counts though others have spoken there since", async (t) => {
    await using database = await open();
    const { destinations, names } = database.stores;
    const mine = await names.internUser("@me:hearth.test", true);
    t.equal(mine, 1, "whose messages the fixture sends");
    for (const roomNid of [1, 2, 3]) await roomWith(database, roomNid, "other.test");
    const first = await commitMessages(database, 1, ["unsent"]);
    const second = await commitMessages(database, 2, ["unsent", "and newer"]);
    t.same(await destinations.newestToTell().then(({ event }) => event), second.position);
    const after = first.position - 1;
    const start = await destinations.unsentRooms("other.test", after, 0, 1);
    t.match(start, { rooms: [{ roomNid: 1, position: first.position }], lookedUpTo: first.position });
    const rest = await destinations.unsentRooms("other.test", after, first.position, 2);
    t.match(rest, { rooms: [{ roomNid: 2, position: second.position }], lookedUpTo: null });
    t.same((await destinations.unsentRooms("other.test", second.position, 0, 2)).rooms, []);
    t.same((await destinations.unsentRooms("else.test", 0, 0, 2)).rooms, []);
  });
}
