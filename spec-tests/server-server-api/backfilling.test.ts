import t from "tap";
import { registerUser, type TestClient } from "../support/client.ts";
import { startFederatedServers } from "../support/federated-servers.ts";

const servers = await startFederatedServers(2);
t.teardown(() => servers[Symbol.asyncDispose]());
const [one, two] = servers;
if (!one || !two) throw new Error("two servers are needed");
const alice = await registerUser(one, "alice");
const bob = await registerUser(two, "bob");
const client = "/_matrix/client/v3";

interface ClientEvent {
  readonly event_id: string;
  readonly type: string;
  readonly content: Record<string, unknown>;
}

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

async function join(user: TestClient, roomId: string): Promise<void> {
  const via = encodeURIComponent(one?.name ?? "");
  const answer = await user.post(`${client}/join/${encodeURIComponent(roomId)}?via=${via}`, {});
  if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
}

/** All that a user comes to, page by page, newest first. */
async function history(user: TestClient, roomId: string, limit: number): Promise<ClientEvent[]> {
  const events: ClientEvent[] = [];
  let from = "";
  for (let pages = 0; pages < 30; pages++) {
    const path = `${client}/rooms/${encodeURIComponent(roomId)}/messages?dir=b&limit=${limit}${from}`;
    const { body } = await user.get(path, "getRoomEvents");
    events.push(...(body["chunk"] as ClientEvent[]));
    const end = body["end"] as string | undefined;
    if (end === undefined || `&from=${end}` === from) return events;
    from = `&from=${end}`;
  }
  throw new Error("the history has no end");
}

t.test("backfillRoom: who joins pages back to the room's beginning, and sees all of it once", async (t) => {
  const roomId = await createRoom();
  const ids: string[] = [];
  for (let index = 0; index < 110; index++) ids.push(await send(alice, roomId, `message ${index}`));
  const redacted = ids[3] ?? "";
  await alice.put(`${client}/rooms/${encodeURIComponent(roomId)}/redact/${redacted}/1`, {});
  await join(bob, roomId);
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
  await join(bob, roomId);
  t.equal((await event(bob, ids[4] ?? "")).origin_server_ts, undefined);
  for (const dir of ["f", "b"]) {
    const path = `/_matrix/client/v1/rooms/${room}/timestamp_to_event?ts=${ts}&dir=${dir}`;
    const found = await bob.get(path, "getEventByTimestamp");
    t.same([found.status, found.body["origin_server_ts"]], [200, ts], dir);
  }
  const context = await bob.get(`${client}/rooms/${room}/context/${ids[4]}?limit=4`, "getEventContext");
  const before = (context.body["events_before"] as ClientEvent[]).map(({ event_id: id }) => id);
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
    await join(bob, roomId);
    await send(alice, roomId, "public");
    const texts = async () => JSON.stringify(await history(bob, roomId, 20));
    for (let round = 0; round < 50 && !(await texts()).includes("public"); round++)
      await new Promise((resolve) => setTimeout(resolve, 50));
    t.match(await texts(), /public/);
    t.notMatch(await texts(), /secret/);
  },
);
