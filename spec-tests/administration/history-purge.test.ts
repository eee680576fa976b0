import { setTimeout as delay } from "node:timers/promises";
import t from "tap";
import { registerAdmin, registerUser, type TestAnswer, type TestClient } from "../support/client.ts";
import { createRoom, join, say, send, setState } from "../support/rooms.ts";
import { startServer } from "../support/server.ts";

const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());

const admin = await registerAdmin(server);
const purgePath = (roomId: string, eventId?: string) =>
  ["/_synapse/admin/v1/purge_history", roomId, ...(eventId === undefined ? [] : [eventId])]
    .map((part, index) => (index === 0 ? part : encodeURIComponent(part)))
    .join("/");
const roomPath = (roomId: string) => `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}`;

async function purged(answer: TestAnswer): Promise<Record<string, unknown>> {
  const path = `/_synapse/admin/v1/purge_history_status/${String(answer.body["purge_id"])}`;
  for (;;) {
    const { body } = await admin.get(path);
    if (body["status"] !== "active") return body;
    await delay(10);
  }
}

/** The bodies of all messages that somebody can page back to, oldest first, without those of others. */
async function readable(client: TestClient, roomId: string): Promise<string[]> {
  const bodies: string[] = [];
  let from = "";
  for (let pages = 0; pages < 20; pages += 1) {
    const { body } = await client.get(`${roomPath(roomId)}/messages?dir=b&limit=100${from}`);
    const chunk = body["chunk"] as { type: string; content: { body?: string } }[];
    for (const { type, content } of chunk) if (type === "m.room.message") bodies.unshift(content.body ?? "");
    if (chunk.length === 0 || typeof body["end"] !== "string") break;
    from = `&from=${encodeURIComponent(body["end"])}`;
  }
  return bodies;
}

t.test(
  "adminPurgeHistoryBefore, adminGetPurgeStatus: what was before an event goes, the room stays",
  async (t) => {
    const alice = await registerUser(server);
    const bob = await registerUser(server);
    const roomId = await createRoom(alice, { preset: "public_chat", topic: "history" });
    await join(bob, roomId);
    const first = await say(alice, roomId, "forgettable");
    const since = String((await bob.get("/_matrix/client/v3/sync")).body["next_batch"]);
    for (let count = 0; count < 250; count += 1) await say(bob, roomId, `old ${count}`);
    await setState(alice, roomId, "m.room.name", { name: "Named long ago" });
    const thread = { "m.relates_to": { rel_type: "m.thread", event_id: first } };
    await send(bob, roomId, "m.room.message", { msgtype: "m.text", body: "in a thread", ...thread });
    const end = await say(alice, roomId, "here it begins");
    await say(bob, roomId, "and goes on");
    const begun = await admin.post(purgePath(roomId, end), { delete_local_events: true });
    t.equal(begun.status, 200);
    const status = await purged(begun);
    t.match(status, { status: "complete" });
    t.equal(status["events_purged"], status["events_in_all"]);
    t.ok(Number(status["events_purged"]) > 250);
    t.strictSame(await readable(alice, roomId), ["here it begins", "and goes on"]);
    t.equal((await alice.get(`${roomPath(roomId)}/event/${encodeURIComponent(first)}`)).status, 404);
    const name = await bob.get(`${roomPath(roomId)}/state/m.room.name`);
    t.match(name.body, { name: "Named long ago" });
    t.strictSame(
      (await bob.get(`/_matrix/client/v1/rooms/${encodeURIComponent(roomId)}/threads`)).body["chunk"],
      [],
    );
    const { body } = await bob.get(`/_matrix/client/v3/sync?since=${encodeURIComponent(since)}`);
    const joined = (body["rooms"] as { join: Record<string, Record<string, unknown>> }).join[roomId];
    t.match(joined?.["timeline"], { limited: true, events: [{ content: { body: "here it begins" } }, {}] });
    const { events: state = [] } = (joined?.["state"] ?? {}) as { events?: { type: string }[] };
    t.ok(
      state.some(({ type }) => type === "m.room.name"),
      "what has changed in between is told as state",
    );
    const found = await alice.post("/_matrix/client/v3/search", {
      search_categories: { room_events: { search_term: "forgettable" } },
    });
    t.match(found.body, { search_categories: { room_events: { count: 0 } } });
    await server.restart();
    t.ok(await say(bob, roomId, "after a restart"));
    t.match(
      (
        await registerUser(server).then((carol) =>
          carol.post(`/_matrix/client/v3/join/${encodeURIComponent(roomId)}`, {}),
        )
      ).status,
      200,
    );
    const again = await admin.post(purgePath(roomId, end), {});
    t.match(again, { status: 404, body: { errcode: "M_NOT_FOUND" } }, "nothing is left before it");
    const acts = await admin.get(`/_hearth/admin/v1/audit_log?target=${encodeURIComponent(roomId)}`);
    t.match(acts.body["acts"], [
      { action: "adminPurgeHistoryBefore", outcome: "refused" },
      { actor: admin.userId, action: "adminPurgeHistoryBefore", request: { delete_local_events: true } },
    ]);
  },
);

t.test(
  "adminPurgeHistory: by time or event, without what this server's users have sent, over a restart",
  async (t) => {
    const alice = await registerUser(server);
    const roomId = await createRoom(alice, {});
    const kept = await say(alice, roomId, "sent from here");
    for (let count = 0; count < 220; count += 1) await say(alice, roomId, `old ${count}`);
    await delay(5);
    const ts = Date.now();
    await delay(5);
    await say(alice, roomId, "new");
    const begun = await admin.post(purgePath(roomId), { purge_up_to_ts: ts });
    t.equal(begun.status, 200);
    await server.restart();
    t.match(await purged(begun), { status: "complete" });
    t.strictSame(await readable(alice, roomId), ["new"]);
    const newest = await say(alice, roomId, "newest");
    t.match(await purged(await admin.post(purgePath(roomId), { purge_up_to_event_id: newest })), {
      status: "complete",
    });
    t.strictSame(await readable(alice, roomId), ["newest"]);
    t.equal((await alice.get(`${roomPath(roomId)}/event/${encodeURIComponent(kept)}`)).status, 404);
  },
);

t.test("adminPurgeHistory: what cannot be purged is told", async (t) => {
  const alice = await registerUser(server);
  const [roomId, other] = [await createRoom(alice, {}), await createRoom(alice, {})];
  const elsewhere = await say(alice, other, "elsewhere");
  const refused = async (body: object, expected: object, id = roomId) =>
    t.match(await admin.post(purgePath(id), body), expected);
  await refused({}, { status: 400, body: { errcode: "M_BAD_JSON" } });
  await refused({ purge_up_to_ts: "yesterday" }, { status: 400, body: { errcode: "M_BAD_JSON" } });
  await refused({ purge_up_to_ts: 1 }, { status: 404, body: { errcode: "M_NOT_FOUND" } });
  await refused({ purge_up_to_event_id: elsewhere }, { status: 400, body: { errcode: "M_INVALID_PARAM" } });
  await refused({ purge_up_to_event_id: "$unknown" }, { status: 404, body: { errcode: "M_NOT_FOUND" } });
  await refused({ purge_up_to_ts: 1 }, { status: 404 }, "!unknown:hearth.test");
  t.match(await admin.get("/_synapse/admin/v1/purge_history_status/unknown"), { status: 404 });
  t.match(await alice.post(purgePath(roomId), { purge_up_to_ts: Date.now() }), {
    status: 403,
    body: { errcode: "M_FORBIDDEN" },
  });
  const all = await admin.post(purgePath(other), { purge_up_to_ts: Date.now() + 60_000 });
  t.match(await purged(all), { status: "complete" });
  t.strictSame(await readable(alice, other), ["elsewhere"], "the newest event stays");
});
