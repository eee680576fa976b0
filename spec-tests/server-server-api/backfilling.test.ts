import t, { type Test } from "tap";
import { registerUser, type TestClient } from "../support/client.ts";
import { FakePeer } from "../support/fake-peer.ts";
import { joinByPeer, twoServersAndPeer } from "../support/federated-room.ts";
import type { TestEvent } from "../support/rooms.ts";
import { serverAndRoomsElsewhere } from "../support/rooms-elsewhere.ts";
import { startServer } from "../support/server.ts";
import { joinVia, ok, roomPath, timelineOf } from "../support/views.ts";
import { patienceMs, until } from "../support/within.ts";

const { alice, bob, one, two, servers } = await twoServersAndPeer(t);
const client = "/_matrix/client/v3";

async function createRoom(visibility = "shared"): Promise<string> {
  const { body } = await alice.post(`${client}/createRoom`, {
    preset: "public_chat",
    initial_state: [{ type: "m.room.history_visibility", content: { history_visibility: visibility } }],
  });
  return body["room_id"] as string;
}

let sent = 0;
async function send(user: TestClient, roomId: string, body: string): Promise<string> {
  const path = `${client}/rooms/${encodeURIComponent(roomId)}/send/m.room.message/${++sent}`;
  const answer = await user.put(path, { msgtype: "m.text", body });
  if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
  return answer.body["event_id"] as string;
}

/** All that a user comes to, page by page, newest first. */
async function history(user: TestClient, roomId: string, limit: number): Promise<TestEvent[]> {
  return (await timelineOf(user, roomId, limit)).toReversed();
}

t.test("backfillRoom: who joins pages back to the room's beginning, and sees all of it once", async (t) => {
  const roomId = await createRoom();
  const ids: string[] = [];
  for (let index = 0; index < 110; index++) ids.push(await send(alice, roomId, `message ${index}`));
  const redacted = ids[3] ?? "";
  await alice.put(`${client}/rooms/${encodeURIComponent(roomId)}/redact/${redacted}/1`, {});
  await joinVia(bob, roomId, one.name);
  await send(bob, roomId, "hello");
  const events = await history(bob, roomId, 50);
  const messages = events.filter(({ type }) => type === "m.room.message");
  t.same(
    messages.map(({ event_id: id }) => id).slice(1),
    ids.toReversed(),
    "in the order in which they were sent",
  );
  t.equal(events.at(-1)?.type, "m.room.create");
  t.equal(new Set(events.map(({ event_id: id }) => id)).size, events.length);
  t.same(events.find(({ event_id: id }) => id === redacted)?.content, {});
  const again = await history(bob, roomId, 100);
  t.same(
    again.map(({ event_id: id }) => id),
    events.map(({ event_id: id }) => id),
    "what has come stays",
  );
});

t.test("getEventByTimestamp: an event from before the join is found, and what lies around it", async (t) => {
  const roomId = await createRoom();
  const room = encodeURIComponent(roomId);
  const ids: string[] = [];
  for (let index = 0; index < 12; index++) ids.push(await send(alice, roomId, `message ${index}`));
  const event = async (user: TestClient, id: string) =>
    (await user.get(`${client}/rooms/${room}/event/${id}`)).body as { origin_server_ts?: number };
  const { origin_server_ts: ts = 0 } = await event(alice, ids[4] ?? "");
  await joinVia(bob, roomId, one.name);
  const { body: here } = await bob.get(`${client}/rooms/${room}/messages?dir=f&limit=100`);
  t.notOk((here["chunk"] as TestEvent[]).some(({ event_id: id }) => id === ids[4]));
  for (const dir of ["f", "b"]) {
    const path = `/_matrix/client/v1/rooms/${room}/timestamp_to_event?ts=${ts}&dir=${dir}`;
    const found = await bob.get(path, "getEventByTimestamp");
    t.same([found.status, found.body["origin_server_ts"]], [200, ts], dir);
  }
  const context = await bob.get(`${client}/rooms/${room}/context/${ids[4]}?limit=4`, "getEventContext");
  const before = (context.body["events_before"] as TestEvent[]).map(({ event_id: id }) => id);
  t.same(before, [ids[3], ids[2]]);
  const messages = (await history(bob, roomId, 100)).filter(({ type }) => type === "m.room.message");
  t.same(
    messages.map(({ event_id: id }) => id),
    ids.toReversed(),
    "what lies between is not left out",
  );
  const tooEarly = `/_matrix/client/v1/rooms/${room}/timestamp_to_event?ts=1&dir=b`;
  t.equal((await bob.get(tooEarly)).status, 404);
});

t.test(
  "backfillRoom: what was said before somebody came stays hidden where the room wants that",
  async (t) => {
    const roomId = await createRoom("joined");
    await send(alice, roomId, "secret");
    await joinVia(bob, roomId, one.name);
    await send(alice, roomId, "public");
    const shown = await until(patienceMs, "the public message", async () => {
      const texts = JSON.stringify(await history(bob, roomId, 20));
      return texts.includes("public") && texts;
    });
    t.notMatch(shown, /secret/);
  },
);

/** A gap that a fake server knows to fill, and one that it is asked after. */
const gapOfPeer = async (t: Test) => {
  const peer = await FakePeer.start(servers.tls);
  t.teardown(() => peer[Symbol.asyncDispose]());
  const { body } = await alice.post(`${client}/createRoom`, { preset: "public_chat", room_version: "11" });
  const roomId = body["room_id"] as string;
  const room = encodeURIComponent(roomId);
  const { joinId, auth } = await joinByPeer(peer, one, alice, roomId);
  await joinVia(bob, roomId, one.name);
  const message = (text: string, prev: string) =>
    peer.event({
      room_id: roomId,
      type: "m.room.message",
      sender: peer.userId,
      content: { msgtype: "m.text", body: text },
      depth: 50,
      prev_events: [prev],
      auth_events: auth,
    });
  const put = (server: typeof one, pdu: Record<string, unknown>) =>
    peer.request(server, "PUT", `/_matrix/federation/v1/send/${++sent}`, {
      origin: peer.name,
      origin_server_ts: 1,
      pdus: [pdu],
      edus: [],
    });
  const sees = async (user: TestClient, id: string) =>
    (await user.get(`${client}/rooms/${room}/event/${id}`)).status === 200;

  // The first of them comes to one server only, and the other one is told of no more than what follows it.
  const missing = message("missing", joinId);
  const between = message("between", missing.id);
  const newest = message("newest", between.id);
  await put(one, missing.pdu);
  await until(10_000, "the first message to come", () => sees(alice, missing.id));
  const stateUri = `/_matrix/federation/v1/state_ids/${room}?event_id=${encodeURIComponent(missing.id)}`;
  const state = await peer.request(one, "GET", stateUri);
  peer.answers.set("/_matrix/federation/v1/get_missing_events/", () => ({
    status: 200,
    body: { events: [between.pdu] },
  }));
  peer.answers.set(`/_matrix/federation/v1/event/${encodeURIComponent(missing.id)}`, () => ({
    status: 200,
    body: { pdus: [missing.pdu] },
  }));
  peer.answers.set("/_matrix/federation/v1/state_ids/", () => state);
  const tell = async () => {
    await put(two, newest.pdu);
    await until(10_000, "the newest message to come", () => sees(bob, newest.id));
  };
  return { peer, roomId, missing, between, newest, tell };
};

t.test("backfillRoom: where the server of who follows a gap is gone, another one is asked", async (t) => {
  const { peer, roomId, missing, between, newest, tell } = await gapOfPeer(t);
  peer.serve("/_matrix/federation/v1/backfill/", ({ socket }) => socket.destroy());
  await tell();
  const events = await history(bob, roomId, 20);
  t.same(
    events.slice(0, 2).map(({ event_id: id }) => id),
    [newest.id, between.id],
  );
  t.ok(events.some(({ event_id: id }) => id === missing.id));
  // A request over a connection that turns out to be closed is made again over a new one.
  const asked = new Set(peer.uris.filter((uri) => uri.includes("/backfill/")));
  t.match([...asked], [new RegExp(encodeURIComponent(missing.id).replace("$", "\\$"))], "it was asked first");
  t.equal(asked.size, 1, "and about nothing else");
});

t.test("backfillRoom: a server that is slow does not keep another one from being asked", async (t) => {
  const { peer, roomId, missing, tell } = await gapOfPeer(t);
  // It never answers.
  peer.serve("/_matrix/federation/v1/backfill/", () => undefined);
  await tell();
  const startMs = performance.now();
  const events = await history(bob, roomId, 20);
  const tookMs = performance.now() - startMs;
  t.ok(events.some(({ event_id: id }) => id === missing.id));
  t.ok(
    peer.uris.some((uri) => uri.includes("/backfill/")),
    "it was asked first",
  );
  t.ok(tookMs < 9_000, `it took ${Math.round(tookMs)} ms, and a client is held for 10 s at most`);
});

t.test("getRoomEvents: where nobody gives what is missing, the pages stay where they are", async (t) => {
  const { server, hosts, makeRoom } = await serverAndRoomsElsewhere(t, ["127.0.3.1"], startServer);
  const [host = ""] = hosts;
  // It answers no question about what was before.
  const { roomId } = makeRoom(host, [host]);
  const carol = await registerUser(server, "carol");
  await joinVia(carol, roomId, host);
  const shown = await timelineOf(carol, roomId);
  t.match(shown, [{ type: "m.room.member", state_key: carol.userId }]);
  t.equal(shown.length, 1);
  const page = async (from: string) => {
    const path = `${roomPath(roomId, "messages")}?dir=b&from=${from}`;
    return ok(await carol.get(path, "getRoomEvents"), "paging back");
  };
  const first = ok(
    await carol.get(`${roomPath(roomId, "messages")}?dir=b&limit=1`, "getRoomEvents"),
    "paging",
  );
  const end = String(first["end"]);
  t.match(await page(end), { chunk: [], end }, "who asks again may see more");
});
