import type { Test } from "tap";
import type { Database } from "../database.ts";
import { searchWords } from "../search-text.ts";
import { createdNid, newAccount } from "./accounts.ts";
import { newEvent, roomNid } from "./room-fixture.ts";

async function addUser({ stores }: Database, localpart: string, displayName: string | null = null) {
  return createdNid(
    await stores.accounts.create(newAccount(`@${localpart}:hearth.test`, { displayName }), {}),
  );
}

/** Makes the room of the fixtures with these members. */
async function joinAll({ stores }: Database, userNids: readonly number[]): Promise<void> {
  await stores.commits.commit({
    roomNid,
    newRoom: { roomId: "!room:hearth.test", version: "10" },
    events: [],
    snapshots: [],
    head: { extremities: [], currentSnapshot: 1 },
    memberships: userNids.map((userNid) => ({
      userNid,
      isLocal: true,
      membership: "join",
      eventNid: userNid,
    })),
    summary: { fields: {}, children: [] },
  });
}

/** A member event of a user of another server, in one of two rooms of which the second is open to everybody. */
async function setRemoteMember(
  { stores }: Database,
  room: 1 | 2,
  eventNid: number,
  { userNid, membership = "join", content }: RemoteMember,
): Promise<void> {
  const isNew = (await stores.rooms.byNid(room)) === undefined;
  const positions = await stores.commits.commit({
    roomNid: room,
    ...(isNew && { newRoom: { roomId: `!room${room}:hearth.test`, version: "10" } }),
    events: [
      {
        ...newEvent({ eventNid, senderNid: userNid, inTimeline: true }),
        roomNid: room,
        common: `"content":${JSON.stringify(content)}`,
      },
    ],
    snapshots: [],
    head: { extremities: [eventNid], currentSnapshot: 1 },
    memberships: [{ userNid, isLocal: false, membership, eventNid }],
    ...(isNew && { summary: { fields: { joinRule: room === 1 ? "invite" : "public" }, children: [] } }),
  });
  if (!positions) throw new Error("the event was not stored");
}

interface RemoteMember {
  readonly userNid: number;
  readonly membership?: "join" | "leave";
  readonly content: object;
}

/** The localparts of whom a user finds. */
async function found({ stores }: Database, userNid: number, term: string, searchAll = true) {
  const phrases = term.split(" ").map((chunk) => searchWords(chunk).join(" "));
  const search = { userNid, phrases, serverPrefix: "", searchAll, limit: 10 };
  const users = await stores.userDirectory.search(search);
  return users.map(({ userId }) => userId.slice(1, userId.indexOf(":")));
}

/** What every back end's user directory does. */
export function userDirectoryStoreContract(t: Test, open: () => Promise<Database>): void {
  t.test("user directory: words of names and localparts, whatever case and diacritics", async (t) => {
    await using database = await open();
    const seeker = await addUser(database, "seeker");
    const jose = await addUser(database, "jmartinez", "José Martínez");
    await addUser(database, "tanaka", "田中太郎");
    await addUser(database, "kim", "김철수");
    await addUser(database, "anna.smith");
    for (const term of ["jose", "JOSÉ", "mart", "jmar", "jose mart", "martinez jo"]) {
      t.strictSame(await found(database, seeker, term), ["jmartinez"], term);
    }
    for (const term of ["田", "田中", "郎", "tan"])
      t.strictSame(await found(database, seeker, term), ["tanaka"], term);
    t.strictSame(await found(database, seeker, "中田"), []);
    t.strictSame(await found(database, seeker, "철"), ["kim"]);
    t.strictSame(await found(database, seeker, "smith"), ["anna.smith"]);
    t.strictSame(await found(database, seeker, "ose"), [], "words are found from their beginning on");
    t.strictSame(await found(database, seeker, "jose xu"), []);
    t.strictSame(await found(database, jose, "jose"), [], "nobody is told of themselves");
  });

  t.test("user directory: profiles and accounts keep it up to date", async (t) => {
    await using database = await open();
    const { accounts, profiles } = database.stores;
    const alice = await addUser(database, "alice", "Alice");
    const bob = await addUser(database, "bob", "Robert");
    await profiles.put(bob, { name: "displayname", value: '"Bobby"' }, 1000);
    t.strictSame(await found(database, alice, "robert"), []);
    t.strictSame(await found(database, alice, "bobby"), ["bob"]);
    await profiles.remove(bob, "displayname");
    t.strictSame(await found(database, alice, "bobby"), []);
    await accounts.update(bob, { isLocked: true });
    t.strictSame(await found(database, alice, "bob"), [], "locked");
    await accounts.update(bob, { isLocked: false });
    t.strictSame(await found(database, alice, "bob"), ["bob"]);
    await accounts.deactivate(bob, false);
    t.strictSame(await found(database, alice, "bob"), [], "deactivated");
    await accounts.reactivate(bob, null);
    t.strictSame(await found(database, alice, "bob"), ["bob"]);
  });

  t.test("user directory: who shares a room is found, and found first", async (t) => {
    await using database = await open();
    await addUser(database, "carl-1", "Carl");
    const near = await addUser(database, "carl-2", "Carl");
    const alice = await addUser(database, "alice");
    await joinAll(database, [alice, near]);
    t.strictSame(await found(database, alice, "carl", true), ["carl-2", "carl-1"]);
    t.strictSame(await found(database, alice, "carl", false), ["carl-2"]);
  });

  t.test("user directory: users of other servers, as the rooms show them that a searcher sees", async (t) => {
    await using database = await open();
    const { names, userDirectory, commits } = database.stores;
    const alice = await addUser(database, "alice");
    const stranger = await addUser(database, "stranger");
    const penny = await names.internUser("@penny:peer.test", false);
    const content = { displayname: "Penny Lane", avatar_url: "mxc://peer.test/p" };
    await setRemoteMember(database, 1, 1, { userNid: penny, content });
    t.strictSame(await found(database, alice, "penny"), [], "not taken up yet");
    t.equal(await userDirectory.followRemote(1), true);
    t.equal(await userDirectory.followRemote(10), false);
    await commits.commit({
      roomNid: 1,
      events: [],
      snapshots: [],
      head: { extremities: [1], currentSnapshot: 1 },
      memberships: [{ userNid: alice, isLocal: true, membership: "join", eventNid: 1 }],
    });
    const search = {
      userNid: alice,
      phrases: ["penny lane"],
      serverPrefix: "peer",
      searchAll: false,
      limit: 9,
    };
    t.strictSame(JSON.parse(JSON.stringify(await userDirectory.search(search))), [
      { userId: "@penny:peer.test", displayName: "Penny Lane", avatarUrl: "mxc://peer.test/p" },
    ]);
    t.strictSame(await found(database, stranger, "penny", false), []);
    t.strictSame(await found(database, stranger, "lane"), [], "the name is that of a closed room");
    await setRemoteMember(database, 2, 2, {
      userNid: penny,
      content: { displayname: 7, avatar_url: "http://x/" },
    });
    t.equal(await userDirectory.followRemote(10), false);
    t.strictSame(await found(database, stranger, "penny", false), ["penny"], "in a room that is open");
    const seen = await userDirectory.search({ ...search, userNid: stranger, phrases: ["penny"] });
    t.strictSame([seen[0]?.displayName, seen[0]?.avatarUrl], [null, null]);
    for (const room of [1, 2] as const)
      await setRemoteMember(database, room, 2 + room, { userNid: penny, membership: "leave", content });
    t.equal(await userDirectory.followRemote(10), false);
    t.strictSame(await found(database, alice, "penny"), []);
  });

  t.test("user directory: the rooms that two users share", async (t) => {
    await using database = await open();
    const { userDirectory } = database.stores;
    await joinAll(database, [1, 2]);
    const room = { roomNid, roomId: "!room:hearth.test" };
    const plain = async (...args: [number, number, number, number]) =>
      JSON.parse(JSON.stringify(await userDirectory.mutualRooms(...args))) as unknown;
    t.strictSame(await plain(1, 2, 0, 10), { rooms: [room], total: 1 });
    t.strictSame(await plain(1, 2, roomNid, 10), { rooms: [], total: 1 });
    t.strictSame(await plain(1, 3, 0, 10), { rooms: [], total: 0 });
  });

  t.test("user directory: whether two users share a room that is not open to everybody", async (t) => {
    await using database = await open();
    const { userDirectory, commits } = database.stores;
    await joinAll(database, [1, 2]);
    t.equal(await userDirectory.shareClosedRoom(1, 2), true);
    t.equal(await userDirectory.shareClosedRoom(1, 3), false);
    await commits.commit({
      roomNid,
      events: [],
      snapshots: [],
      head: { extremities: [], currentSnapshot: 1 },
      memberships: [],
      summary: { fields: { joinRule: "public" }, children: [] },
    });
    t.equal(await userDirectory.shareClosedRoom(1, 2), false);
  });
}
