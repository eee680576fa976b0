import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import BetterSqlite3 from "better-sqlite3";
import t from "tap";
import { registerAdmin, registerUser, type TestAnswer, type TestClient } from "../support/client.ts";
import { createRoom, join, say, send, setState } from "../support/rooms.ts";
import { startServer } from "../support/server.ts";

const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());

const admin = await registerAdmin(server);
const v1 = (roomId: string) => `/_synapse/admin/v1/rooms/${encodeURIComponent(roomId)}`;
const v2 = (roomId: string) => `/_synapse/admin/v2/rooms/${encodeURIComponent(roomId)}`;

async function deleted(answer: TestAnswer): Promise<Record<string, unknown>> {
  const id = String(answer.body["delete_id"]);
  for (;;) {
    const { body } = await admin.get(`/_synapse/admin/v2/rooms/delete_status/${id}`);
    if (body["status"] !== "scheduled" && body["status"] !== "active") return body;
    await delay(10);
  }
}

function tryToJoin(client: TestClient, roomId: string) {
  return client.post(`/_matrix/client/v3/join/${encodeURIComponent(roomId)}`, {});
}

t.test("adminDeleteRoom, adminGetDeleteStatus: all leave, and nothing is left of the room", async (t) => {
  const alice = await registerUser(server);
  const bob = await registerUser(server);
  const roomId = await createRoom(alice, { preset: "public_chat", room_alias_name: "closing" });
  const before = await bob.get("/_matrix/client/v3/sync");
  await join(bob, roomId);
  const eventId = await say(alice, roomId, "farewell");
  for (let count = 0; count < 250; count += 1) await say(alice, roomId, `message ${count}`);
  const begun = await admin.delete(v2(roomId), { block: true });
  t.equal(begun.status, 200);
  const status = await deleted(begun);
  t.match(status, {
    delete_id: begun.body["delete_id"],
    room_id: roomId,
    status: "complete",
    shutdown_room: { failed_to_kick_users: [], local_aliases: [], new_room_id: null },
  });
  t.strictSame(
    new Set((status["shutdown_room"] as { kicked_users: string[] }).kicked_users),
    new Set([alice.userId, bob.userId]),
  );
  t.equal(status["events_deleted"], status["events_in_all"]);
  t.ok(Number(status["events_deleted"]) > 250);
  t.strictSame((await alice.get("/_matrix/client/v3/joined_rooms")).body["joined_rooms"], []);
  const room = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}`;
  t.equal((await alice.get(`${room}/event/${encodeURIComponent(eventId)}`)).status, 404);
  t.match((await alice.get(`${room}/messages?dir=b`)).status, 403);
  t.equal(
    (await alice.get(`/_matrix/client/v3/directory/room/${encodeURIComponent("#closing:hearth.test")}`))
      .status,
    404,
  );
  t.match(await tryToJoin(bob, roomId), { status: 403, body: { errcode: "M_FORBIDDEN", error: /blocked/ } });
  const since = encodeURIComponent(String(before.body["next_batch"]));
  const sync = await bob.get(`/_matrix/client/v3/sync?since=${since}`);
  t.equal(sync.status, 200, "whoever was in it can go on");
  const found = await bob.post("/_matrix/client/v3/search", {
    search_categories: { room_events: { search_term: "farewell" } },
  });
  t.match(found.body, { search_categories: { room_events: { count: 0 } } });
  await server.restart();
  const newRoom = await createRoom(alice, {});
  await say(alice, newRoom, "a new start");
  t.equal((await bob.get("/_matrix/client/v3/sync")).status, 200);
});

t.test(
  "adminDeleteRoom: goes on after a restart, and no table has anything of the room any more",
  async (t) => {
    const alice = await registerUser(server);
    const bob = await registerUser(server);
    const kept = await createRoom(alice, { preset: "public_chat" });
    const roomId = await createRoom(alice, { preset: "public_chat", topic: "short-lived" });
    await join(bob, roomId);
    const eventId = await say(alice, roomId, "hello");
    const receipt = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/receipt/m.read/${encodeURIComponent(eventId)}`;
    t.equal((await bob.post(receipt, {})).status, 200);
    for (let count = 0; count < 300; count += 1) {
      await send(bob, roomId, "m.room.message", {
        msgtype: "m.text",
        body: String(count),
        "m.relates_to": { rel_type: "m.thread", event_id: eventId },
      });
    }
    for (const name of ["a", "b", "c"]) await setState(alice, roomId, "m.room.name", { name });
    const { roomNid } = await inDatabase(roomId);
    const begun = await admin.delete(v2(roomId), {});
    await server.restart();
    t.match(await deleted(begun), { status: "complete" });
    const { left, snapshots } = await inDatabase(roomId, roomNid);
    t.strictSame(left, []);
    t.equal(snapshots.unreachable, 0, "no state snapshot is left that nothing leads to");
    t.ok(snapshots.count > 0);
    t.ok(await say(alice, kept, "the other room is as it was"));
  },
);

/** What the tables have of a room, asked while the server is stopped. */
async function inDatabase(roomId: string, knownNid?: number) {
  let roomNid = knownNid;
  const left: string[] = [];
  const snapshots = { count: 0, unreachable: 0 };
  await server.restart(async () => {
    const db = new BetterSqlite3(path.join(server.folder, "hearth.db"), { readonly: true });
    const nid = db
      .prepare<[string], number>("SELECT room_nid FROM rooms WHERE room_id = ?")
      .pluck()
      .get(roomId);
    roomNid ??= nid;
    const tables = db
      .prepare<[], string>(
        `SELECT name FROM sqlite_schema WHERE type = 'table'
         AND EXISTS (SELECT 1 FROM pragma_table_info(name) AS column WHERE column.name = 'room_nid')`,
      )
      .pluck()
      .all();
    for (const table of tables.filter((name) => name !== "removed_nids")) {
      const sql = `SELECT count(*) FROM ${table} WHERE room_nid = ?`;
      if (
        db
          .prepare<[number], number>(sql)
          .pluck()
          .get(roomNid ?? 0) !== 0
      )
        left.push(table);
    }
    const sizes = db.prepare<[], typeof snapshots>(snapshotsSql).get();
    if (sizes) Object.assign(snapshots, sizes);
    db.close();
  });
  if (roomNid === undefined) throw new Error(`${roomId} is not in the database`);
  return { roomNid, left, snapshots };
}

const snapshotsSql = `WITH RECURSIVE reached (nid) AS (
    SELECT current_snapshot FROM rooms UNION SELECT state_before FROM events UNION SELECT state_after FROM events
    UNION SELECT room_state FROM events
    UNION SELECT parent_nid FROM state_snapshots JOIN reached ON snapshot_nid = nid)
  SELECT (SELECT count(*) FROM state_snapshots) AS count,
    (SELECT count(*) FROM state_snapshots WHERE snapshot_nid NOT IN (
      SELECT nid FROM reached WHERE nid IS NOT NULL)) AS unreachable`;

t.test("adminGetDeleteStatusOfRoom: all deletions of a room, the audit log has who asked", async (t) => {
  const alice = await registerUser(server);
  const roomId = await createRoom(alice, {});
  const first = await admin.delete(v2(roomId), { purge: false });
  t.match(await deleted(first), { status: "complete", events_deleted: 0 });
  const second = await admin.delete(v2(roomId), {});
  t.match(await deleted(second), { status: "complete" });
  const { status, body } = await admin.get(`${v2(roomId)}/delete_status`);
  t.equal(status, 200);
  t.match(body["results"], [{ delete_id: first.body["delete_id"] }, { delete_id: second.body["delete_id"] }]);
  const acts = await admin.get(`/_hearth/admin/v1/audit_log?target=${encodeURIComponent(roomId)}`);
  t.match(acts.body["acts"], [
    { actor: admin.userId, action: "adminDeleteRoom", outcome: "done", request: {} },
    { action: "adminDeleteRoom", request: { purge: false } },
  ]);
  const jobs = await admin.get(`/_hearth/admin/v1/jobs?subject=${encodeURIComponent(roomId)}`);
  t.match(jobs.body["jobs"], [
    { kind: "delete-room", state: "done" },
    { kind: "delete-room", state: "done" },
  ]);
});

t.test(
  "adminDeleteRoomAndWait: members find themselves in a new room, which has the names of the old one",
  async (t) => {
    const alice = await registerUser(server);
    const guardian = await registerUser(server);
    const invited = await registerUser(server);
    const roomId = await createRoom(alice, { room_alias_name: "moved", invite: [invited.userId] });
    const answer = await admin.delete(v1(roomId), {
      new_room_user_id: guardian.userId,
      room_name: "Closed",
      message: "Please read the rules",
    });
    t.equal(answer.status, 200);
    const newRoomId = String(answer.body["new_room_id"]);
    t.match(answer.body, { local_aliases: ["#moved:hearth.test"], failed_to_kick_users: [] });
    t.strictSame(new Set(answer.body["kicked_users"] as string[]), new Set([alice.userId, invited.userId]));
    t.match((await alice.get("/_matrix/client/v3/directory/room/%23moved:hearth.test")).body, {
      room_id: newRoomId,
    });
    const messages = await alice.get(
      `/_matrix/client/v3/rooms/${encodeURIComponent(newRoomId)}/messages?dir=b&limit=20`,
    );
    const bodies = (messages.body["chunk"] as { content: { body?: string } }[]).map(
      ({ content }) => content.body,
    );
    t.ok(bodies.includes("Please read the rules"));
    const sent = await alice.put(
      `/_matrix/client/v3/rooms/${encodeURIComponent(newRoomId)}/send/m.room.message/1`,
      {
        msgtype: "m.text",
        body: "No",
      },
    );
    t.equal(sent.status, 403, "they may read, and not write");
  },
);

t.test(
  "adminSetRoomBlock, adminGetRoomBlock: nobody joins or is brought back, until it is allowed again",
  async (t) => {
    const alice = await registerUser(server);
    const bob = await registerUser(server);
    const roomId = await createRoom(alice, { preset: "public_chat" });
    t.strictSame((await admin.get(`${v1(roomId)}/block`)).body, { block: false });
    t.strictSame((await admin.put(`${v1(roomId)}/block`, { block: true })).body, { block: true });
    t.strictSame((await admin.get(`${v1(roomId)}/block`)).body, { block: true, user_id: admin.userId });
    t.equal((await tryToJoin(bob, roomId)).status, 403);
    t.ok(await say(alice, roomId, "whoever is in it stays"));
    t.strictSame((await admin.put(`${v1(roomId)}/block`, { block: false })).body, { block: false });
    t.equal((await tryToJoin(bob, roomId)).status, 200);
    const unknown = "!unknown:elsewhere.test";
    t.equal((await admin.put(`${v1(unknown)}/block`, { block: true })).status, 200);
    t.match((await admin.get(`${v1(unknown)}/block`)).body, { block: true });
  },
);

t.test("adminDeleteRoom, adminSetRoomBlock ...: bad input changes nothing", async (t) => {
  const alice = await registerUser(server);
  const roomId = await createRoom(alice, {});
  for (const body of [{ block: "yes" }, { purge: 1 }, { force_purge: "no" }, { new_room_user_id: 5 }]) {
    t.equal((await admin.delete(v2(roomId), body)).status, 400, JSON.stringify(body));
  }
  for (const user of ["@nobody:hearth.test", "@a:elsewhere.test", "nobody"]) {
    const answer = await admin.delete(v2(roomId), { new_room_user_id: user, block: true });
    t.match(answer.status, user === "@nobody:hearth.test" ? 404 : 400);
  }
  t.equal((await admin.delete(v2("not-a-room"), {})).status, 400);
  t.equal((await admin.get(`${v1("not-a-room")}/block`)).status, 400);
  t.equal((await admin.put(`${v1(roomId)}/block`, {})).status, 400);
  t.equal((await admin.get("/_synapse/admin/v2/rooms/delete_status/unknown")).status, 404);
  t.equal((await admin.get(`${v2(roomId)}/delete_status`)).status, 404);
  t.ok(await say(alice, roomId, "still there"));
  t.strictSame((await admin.get(`${v1(roomId)}/block`)).body, { block: false });
});

t.test("adminDeleteRoom, adminDeleteRoomAndWait ...: for administrators only", async (t) => {
  const alice = await registerUser(server);
  const roomId = await createRoom(alice, {});
  const answers = await Promise.all([
    alice.delete(v1(roomId), {}),
    alice.delete(v2(roomId), {}),
    alice.get(`${v2(roomId)}/delete_status`),
    alice.get("/_synapse/admin/v2/rooms/delete_status/unknown"),
    alice.get(`${v1(roomId)}/block`),
    alice.put(`${v1(roomId)}/block`, { block: true }),
  ]);
  for (const answer of answers) t.match(answer, { status: 403, body: { errcode: "M_FORBIDDEN" } });
  t.ok(await say(alice, roomId, "still there"));
});
