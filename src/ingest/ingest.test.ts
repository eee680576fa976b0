import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import t from "tap";
import { SigningKey } from "../protocol/ed25519.ts";
import { type RoomId, type ServerName, serverNameOf, type UserId } from "../protocol/identifiers.ts";
import { type RoomVersion, roomVersion, supportedRoomVersions } from "../protocol/room-versions.ts";
import type { Room } from "../state/room-index.ts";
import type { CommitStore } from "../storage/commits.ts";
import type { Database } from "../storage/database.ts";
import { StorageError } from "../storage/errors.ts";
import { NameCache } from "../storage/name-cache.ts";
import { openSqliteDatabase } from "../storage/sqlite/open.ts";
import { systemClock } from "../telemetry/clock.ts";
import { systemRandomBytes } from "../telemetry/random.ts";
import { type EventGraph, openEventGraph } from "./ingest.ts";
import type { LocalEvent } from "./local-event.ts";

function failOnFault(error: unknown): never {
  throw error;
}

const serverName = "hearth.test" as ServerName;
const alice = "@alice:hearth.test" as UserId;
const bob = "@bob:hearth.test" as UserId;

/** @param commitsOf what stands between the graph and the store of commits */
async function open(
  folder: string,
  commitsOf: (store: CommitStore) => CommitStore = (store) => store,
): Promise<{ database: Database; graph: EventGraph; names: NameCache }> {
  const database = await openSqliteDatabase(folder, () => undefined, failOnFault);
  const names = new NameCache(
    database.stores.names,
    (userId) => serverNameOf(userId as UserId) === serverName,
  );
  const graph = await openEventGraph({
    serverName,
    key: new SigningKey("ed25519:1", Buffer.alloc(32, 7)),
    stores: { ...database.stores, commits: commitsOf(database.stores.commits) },
    names,
    clock: systemClock,
    randomBytes: systemRandomBytes,
    partialRooms: { has: () => false },
  });
  return { database, graph, names };
}

function newFolder(t: { teardown(work: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), "hearth-ingest-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  return folder;
}

function firstEvents(version: RoomVersion): LocalEvent[] {
  const creator = version.creatorIsSender ? {} : { creator: alice };
  return [
    { type: "m.room.create", stateKey: "", sender: alice, content: { ...creator, room_version: version.id } },
    { type: "m.room.member", stateKey: alice, sender: alice, content: { membership: "join" } },
    {
      type: "m.room.power_levels",
      stateKey: "",
      sender: alice,
      content: { users: version.privilegedCreators ? {} : { [alice]: 100 } },
    },
    { type: "m.room.join_rules", stateKey: "", sender: alice, content: { join_rule: "public" } },
  ];
}

function createRoom(graph: EventGraph, id: string) {
  const version = roomVersion(id);
  if (!version) throw new Error(`no room version ${id}`);
  const roomId = version.roomIdIsCreateHash ? undefined : (`!room${id}:hearth.test` as RoomId);
  return graph.writer.create(version, roomId, firstEvents(version));
}

const message = (body: string, id?: string): LocalEvent => ({
  type: "m.room.message",
  sender: alice,
  content: { msgtype: "m.text", body },
  ...(id === undefined ? undefined : { transaction: { deviceId: "D", id } }),
});

t.test(
  "a room of every version takes messages, joins and redactions, and has them after a restart",
  async (t) => {
    const folder = newFolder(t);
    let { database, graph, names } = await open(folder);
    const rooms = await Promise.all(supportedRoomVersions.map((id) => createRoom(graph, id)));
    for (const room of rooms) {
      const sent = await graph.writer.sendOne(room, message("to be redacted"));
      await graph.writer.sendOne(room, {
        type: "m.room.member",
        stateKey: bob,
        sender: bob,
        content: { membership: "join" },
      });
      await graph.writer.sendOne(room, {
        type: "m.room.redaction",
        sender: alice,
        content: {},
        redacts: sent.eventId as never,
      });
    }
    await database[Symbol.asyncDispose]();
    ({ database, graph, names } = await open(folder));
    for (const { roomId, roomNid, version } of rooms) {
      const timeline = await database.stores.events.timelineForwards(
        roomNid,
        0,
        Number.MAX_SAFE_INTEGER,
        100,
      );
      t.equal(timeline.length, 7, `version ${version.id}`);
      t.match(timeline[4]?.common, '"content":{}', "the redacted event has lost its content");
      t.equal(timeline[4]?.redactedBy, timeline[6]?.eventNid);
      const row = await database.stores.rooms.byId(roomId);
      const state = await graph.snapshots.map(row?.currentSnapshot ?? 0);
      t.equal(state.size, 5);
      t.equal((await database.stores.memberships.counts(roomNid)).joined, 2);
      t.equal(
        (await database.stores.memberships.of(roomNid, await names.internUser(bob)))?.membership,
        "join",
      );
    }
    await database[Symbol.asyncDispose]();
  },
);

t.test("what is sent at the same time is stored in a line, each event on the one before", async (t) => {
  const { database, graph } = await open(newFolder(t));
  const room = await createRoom(graph, "11");
  const sent = await Promise.all(
    Array.from({ length: 200 }, (_, index) => graph.writer.sendOne(room, message(`${index}`))),
  );
  t.same(
    sent.map((event) => event.position),
    sent.map((event) => event.position).sort((a, b) => (a ?? 0) - (b ?? 0)),
  );
  t.equal(new Set(sent.map((event) => event.depth)).size, 200);
  const extremities = await database.stores.rooms.extremities(room.roomNid);
  t.same(
    extremities.map((row) => row.eventId),
    [sent.at(-1)?.eventId],
  );
  await database[Symbol.asyncDispose]();
});

t.test("a repeated transaction ID or state is the same event, at once and later", async (t) => {
  const { database, graph } = await open(newFolder(t));
  const room = await createRoom(graph, "12");
  const [first, second] = await Promise.all([
    graph.writer.sendOne(room, message("once", "t1")),
    graph.writer.sendOne(room, message("once", "t1")),
  ]);
  const third = await graph.writer.sendOne(room, message("once", "t1"));
  t.equal(first.eventId, second.eventId);
  t.equal(first.eventId, third.eventId);
  const topic: LocalEvent = { type: "m.room.topic", stateKey: "", sender: alice, content: { topic: "Fire" } };
  const topics = await Promise.all([graph.writer.sendOne(room, topic), graph.writer.sendOne(room, topic)]);
  t.equal(topics[0].eventId, topics[1].eventId);
  await database[Symbol.asyncDispose]();
});

t.test(
  "a transaction ID of before a restart is found, and who sends at the same time loses nothing",
  async (t) => {
    const folder = newFolder(t);
    const before = await open(folder);
    const { roomId } = await createRoom(before.graph, "12");
    const roomOf = async ({ graph }: typeof before) => (await graph.rooms.find(roomId)) as Room;
    const first = await before.graph.writer.sendOne(await roomOf(before), message("once", "t1"));
    await before.database[Symbol.asyncDispose]();
    const after = await open(folder);
    const room = await roomOf(after);
    const [again, other, twice, last] = await Promise.all([
      after.graph.writer.sendOne(room, message("once", "t1")),
      after.graph.writer.sendOne(room, message("other", "t2")),
      after.graph.writer.sendOne(room, message("once", "t1")),
      after.graph.writer.sendOne(room, message("last")),
    ]);
    t.equal(again.eventId, first.eventId);
    t.equal(twice.eventId, first.eventId);
    t.equal(new Set([first, other, last].map((event) => event.eventId)).size, 3);
    const [ends] = await after.database.stores.rooms.extremities(room.roomNid);
    t.equal(ends?.depth, first.depth + 2, "the two new ones, one on the other");
    await after.database[Symbol.asyncDispose]();
  },
);

const membershipOf = (userId: UserId, membership: string, extra = {}): LocalEvent => ({
  type: "m.room.member",
  stateKey: userId,
  sender: userId,
  content: { ...extra, membership },
});

t.test("what is decided goes by the state that the event finds", async (t) => {
  const { database, graph } = await open(newFolder(t));
  const room = await createRoom(graph, "12");
  await graph.writer.sendOne(room, membershipOf(bob, "join"));
  const rename = () =>
    graph.writer.decide(room, async (state) =>
      (await state.membership(bob)) === "join" ? [membershipOf(bob, "join", { displayname: "Bob" })] : [],
    );
  const [, renamed] = await Promise.all([graph.writer.sendOne(room, membershipOf(bob, "leave")), rename()]);
  t.same(renamed, [], "whoever leaves at that moment does not come back by their new name");
  await graph.writer.sendOne(room, membershipOf(bob, "join"));
  t.equal((await rename()).length, 1);
  const refused = graph.writer.decide(room, () => Promise.reject(new Error("not now")));
  await t.rejects(refused, { message: "not now" });
  await database[Symbol.asyncDispose]();
});

t.test("what the rules refuse changes nothing, not even in a batch that begins well", async (t) => {
  const { database, graph } = await open(newFolder(t));
  const room = await createRoom(graph, "10");
  const refused = graph.writer.send(room, [message("fine"), { ...message("refused"), sender: bob }]);
  await t.rejects(refused, { message: /not in the room/ });
  const tooLarge = graph.writer.sendOne(room, message("x".repeat(70_000)));
  await t.rejects(tooLarge, { message: /bytes/ });
  await t.rejects(graph.writer.sendOne(room, { ...message(""), content: { a: 1.5 } }), {
    message: /integer/,
  });
  const next = await graph.writer.sendOne(room, message("next"));
  t.equal(next.depth, 5);
  const timeline = await database.stores.events.timelineForwards(
    room.roomNid,
    0,
    Number.MAX_SAFE_INTEGER,
    100,
  );
  t.equal(timeline.length, 5);
  await database[Symbol.asyncDispose]();
});

t.test("an event that cannot be stored takes none of those behind it with it", async (t) => {
  const full = new StorageError("disk-full", "no room");
  let failures = 0;
  const { database, graph } = await open(newFolder(t), (store) => ({
    ...store,
    async commit(parts) {
      if (failures-- <= 0) return store.commit(parts);
      await setImmediate();
      throw full;
    },
  }));
  const room = await createRoom(graph, "12");
  const sendMany = (name: string) =>
    Promise.allSettled(
      Array.from({ length: 10 }, (_, index) => graph.writer.sendOne(room, message(`${name} ${index}`, name))),
    );
  const topic = (text: string): LocalEvent => ({
    type: "m.room.topic",
    stateKey: "",
    sender: alice,
    content: { topic: text },
  });
  failures = 1;
  const [lost, ...messages] = await Promise.allSettled([
    graph.writer.sendOne(room, topic("lost")),
    ...Array.from({ length: 10 }, (_, index) => graph.writer.sendOne(room, message(`${index}`))),
  ]);
  t.match(lost, { status: "rejected", reason: full });
  t.same(
    messages.map(({ status }) => status),
    messages.map(() => "fulfilled"),
  );
  t.equal(
    (await graph.writer.sendOne(room, topic("lost"))).depth,
    15,
    "4 first events, 10 messages, the topic",
  );
  failures = 1;
  const decisions: (string | undefined)[] = [];
  const renameUnlessLeft = () =>
    graph.writer.decide(room, async (state) => {
      decisions.push(await state.membership(alice));
      return decisions.at(-1) === "join" ? [membershipOf(alice, "join", { displayname: "Alice" })] : [];
    });
  const [left, decided] = await Promise.allSettled([
    graph.writer.sendOne(room, membershipOf(alice, "leave")),
    renameUnlessLeft(),
  ]);
  t.match(left, { status: "rejected", reason: full });
  t.match(decided, { status: "fulfilled", value: { length: 1 } });
  t.same(decisions, ["leave", "join"], "a decision by what was lost is made anew");
  failures = 1;
  const repeated = await sendMany("once");
  t.match(repeated[0], { status: "rejected", reason: full });
  t.equal((await graph.writer.sendOne(room, message("once", "once"))).depth, 17);
  await database[Symbol.asyncDispose]();
});
