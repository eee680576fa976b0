import { atMost } from "./to-device.ts";
import type { Test } from "tap";
import type { Database } from "../database.ts";
import type { DestinationRow } from "../destinations.ts";
import { commitMessages } from "./message-fixture.ts";
import type { Membership } from "../memberships.ts";
import { commitEvents, newEvent, roomNid as fixtureRoomNid } from "./room-fixture.ts";
import { emptyRoomFields } from "../../protocol/room-summary.ts";

function row(serverName: string, sentUpTo: number): DestinationRow {
  return {
    serverName,
    sentUpTo,
    deviceListsUpTo: sentUpTo,
    failingSinceTs: null,
    retryTs: null,
    retryIntervalMs: 0,
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
    summary: { fields: emptyRoomFields, children: [] },
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

  t.test("destinations: a server whose last user is made to leave a room is told of it", async (t) => {
    await using database = await open();
    const { destinations, names } = database.stores;
    const mine = await names.internUser("@me:hearth.test", true);
    const [bob, carol] = [
      await names.internUser("@bob:other.test", false),
      await names.internUser("@carol:other.test", false),
    ];
    let eventNid = 0;
    const become = (userNid: number, membership: Membership, senderNid: number, inTimeline = true) => {
      eventNid += 1;
      const memberships = [{ userNid, isLocal: false, membership, eventNid }];
      return commitEvents(database, [{ eventNid, senderNid, inTimeline }], { memberships });
    };
    await become(bob, "join", bob);
    await become(carol, "join", carol);
    await become(bob, "ban", mine);
    await become(bob, "leave", mine);
    t.same(await destinations.withFarewells(), [], "while it has others in the room, it gets everything");
    await become(carol, "leave", carol);
    t.same(await destinations.withFarewells(), [], "what its users do themselves it knows");
    await become(carol, "ban", mine);
    t.same(await destinations.withFarewells(), ["other.test"]);
    await become(bob, "ban", mine, false);
    t.same(await destinations.farewells("other.test", 10), [6], "what is long past is not told");
    await become(bob, "leave", mine);
    await become(carol, "leave", mine);
    t.same(await destinations.farewells("other.test", 2), [6, 8], "the oldest first");
    await destinations.removeFarewells([6, 9]);
    t.same(await destinations.farewells("other.test", 10), [8]);
    t.same(await destinations.farewells("else.test", 10), []);
    await destinations.save([row("other.test", 1), row("gone.test", 1)]);
    await destinations.settle({ sentUpTo: 5, deviceListsUpTo: 5, owed: [], inUse: [] });
    t.match(
      await destinations.all(),
      [{ serverName: "other.test" }],
      "it is not forgotten while it is owed that",
    );
  });

  t.test(
    "destinations: what a server has not been sent of its users is kept when the last goes",
    async (t) => {
      await using database = await open();
      const { destinations, names, roomRemovals } = database.stores;
      const mine = await names.internUser("@me:hearth.test", true);
      const users = await Promise.all(
        ["@a:o.test", "@b:o.test", "@c:o.test", "@d:o.test", "@e:else.test"].map((userId) =>
          names.internUser(userId, false),
        ),
      );
      const [a = 0, b = 0, c = 0, d = 0, e = 0] = users;
      let eventNid = 0;
      const become = async (userNid: number, membership: Membership, senderNid: number) => {
        eventNid += 1;
        const memberships = [{ userNid, isLocal: false, membership, eventNid }];
        const [position] = await commitEvents(database, [{ eventNid, senderNid }], { memberships });
        return position ?? 0;
      };
      for (const userNid of users) await become(userNid, "join", userNid);
      const sentUpTo = await become(a, "ban", mine);
      await destinations.save([row("o.test", sentUpTo)]);
      const bannedNid = eventNid + 1;
      await become(b, "ban", mine);
      await become(c, "leave", c);
      await become(e, "ban", mine);
      t.same(await destinations.farewells("o.test", 10), []);
      await become(d, "leave", d);
      t.same(await destinations.farewells("o.test", 10), [bannedNid], "no more, and nothing of others");
      await roomRemovals.begin(fixtureRoomNid);
      await roomRemovals.removePart(fixtureRoomNid, 100);
      t.same(await destinations.withFarewells(), [], "nothing can be told of a room that is gone");
    },
  );

  t.test("destinations: of what a server is told last, the newest is kept", async (t) => {
    await using database = await open();
    const { destinations, names } = database.stores;
    const mine = await names.internUser("@me:hearth.test", true);
    const users = await Promise.all(
      Array.from({ length: 510 }, (_, index) => names.internUser(`@bob${index}:other.test`, false)),
    );
    const ban = (userNid: number, index: number) =>
      ({ userNid, isLocal: false, membership: "ban", eventNid: 1 + index }) as const;
    const bans = users.map((_, index) => ({ eventNid: 1 + index, senderNid: mine }));
    await commitEvents(database, bans, { memberships: users.map(ban) });
    const kept = await destinations.farewells("other.test", 1_000);
    t.same([kept.length, kept[0], kept.at(-1)], [500, 11, 510]);
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
