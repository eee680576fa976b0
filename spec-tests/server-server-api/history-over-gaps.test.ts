import t from "tap";
import type { TestClient } from "../support/client.ts";
import { twoServersAndPeer } from "../support/federated-room.ts";
import { joinVia } from "../support/views.ts";
import { until } from "../support/within.ts";

const { alice, bob, one } = await twoServersAndPeer(t);
const client = "/_matrix/client/v3";

interface ClientEvent {
  readonly event_id: string;
  readonly unsigned?: { readonly "m.relations"?: { readonly "m.thread"?: { readonly count: number } } };
}

let sent = 0;
async function send(user: TestClient, roomId: string, body: string, more = {}): Promise<string> {
  const path = `${client}/rooms/${encodeURIComponent(roomId)}/send/m.room.message/${++sent}`;
  const answer = await user.put(path, { msgtype: "m.text", body, ...more });
  if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
  return answer.body["event_id"] as string;
}

const inThread = (rootId: string) => ({ "m.relates_to": { rel_type: "m.thread", event_id: rootId } });

interface Scene {
  readonly room: string;
  readonly rootId: string;
  /** Oldest first; the last one is the only event of the thread that bob's server has been sent. */
  readonly replyIds: readonly string[];
  /** What was said before everything else. */
  readonly firstId: string;
  /** Of a type that the other server has never heard of: it refers to the thread's root. */
  readonly answerId: string;
  readonly answerType: string;
}

/** A room with a thread from before a user of the other server has come in, which goes on afterwards. */
async function threadFromBefore(visibility = "shared"): Promise<Scene> {
  const { body } = await alice.post(`${client}/createRoom`, {
    preset: "public_chat",
    initial_state: [{ type: "m.room.history_visibility", content: { history_visibility: visibility } }],
  });
  const roomId = body["room_id"] as string;
  const room = encodeURIComponent(roomId);
  const firstId = await send(alice, roomId, "first");
  const rootId = await send(alice, roomId, "root");
  const answerType = `org.example.answer${++sent}`;
  const answer = await alice.put(`${client}/rooms/${room}/send/${answerType}/1`, {
    "m.relates_to": { rel_type: "m.reference", event_id: rootId },
  });
  const replyIds = [await send(alice, roomId, "reply", inThread(rootId))];
  for (let index = 0; index < 20; index++) await send(alice, roomId, `something else ${index}`);
  replyIds.push(await send(alice, roomId, "reply", inThread(rootId)));
  await joinVia(bob, roomId, one.name);
  const last = await send(alice, roomId, "reply", inThread(rootId));
  replyIds.push(last);
  await until(10_000, "the last reply to come", async () => {
    const { body: page } = await bob.get(`${client}/rooms/${room}/messages?dir=f&limit=50`);
    return (page["chunk"] as ClientEvent[]).some(({ event_id: id }) => id === last);
  });
  return { room, rootId, replyIds, firstId, answerType, answerId: answer.body["event_id"] as string };
}

/** All pages of a list, with how many there were. */
async function pages(path: string, operationId: string): Promise<ClientEvent[]> {
  const all: ClientEvent[] = [];
  let from = "";
  for (let count = 0; count < 20; count++) {
    const { status, body } = await bob.get(`${path}${from}`, operationId);
    if (status !== 200) throw new Error(JSON.stringify(body));
    all.push(...(body["chunk"] as ClientEvent[]));
    if (body["next_batch"] === undefined) return all;
    from = `&from=${body["next_batch"] as string}`;
  }
  throw new Error(`${path} has no end`);
}

const idsOf = (events: readonly ClientEvent[]) => events.map(({ event_id: id }) => id);

t.test("getRelatingEventsWithRelType: a thread from before the join is there as a whole", async (t) => {
  const { room, rootId, replyIds } = await threadFromBefore();
  const path = `/_matrix/client/v1/rooms/${room}/relations/${encodeURIComponent(rootId)}/m.thread?limit=2`;
  const replies = await pages(path, "getRelatingEventsWithRelType");
  t.same(idsOf(replies), replyIds.toReversed());
  const root = await bob.get(`${client}/rooms/${room}/event/${rootId}`, "getOneRoomEvent");
  t.equal(root.status, 200);
});

t.test("getRelatingEvents: what is missing is got though its kind has never been seen here", async (t) => {
  const { room, rootId, replyIds, answerId, answerType } = await threadFromBefore();
  const path = `/_matrix/client/v1/rooms/${room}/relations/${encodeURIComponent(rootId)}`;
  const answers = await pages(
    `${path}/m.reference/${answerType}?limit=5`,
    "getRelatingEventsWithRelTypeAndEventType",
  );
  t.same(idsOf(answers), [answerId]);
  const all = await pages(`${path}?limit=5`, "getRelatingEvents");
  t.same(idsOf(all), [...replyIds.toReversed(), answerId]);
});

t.test("getThreadRoots: threads from before the join are listed, with their roots", async (t) => {
  const { room, rootId } = await threadFromBefore();
  const roots = await pages(`/_matrix/client/v1/rooms/${room}/threads?limit=5`, "getThreadRoots");
  t.same(idsOf(roots), [rootId]);
  const again = await pages(`/_matrix/client/v1/rooms/${room}/threads?limit=5`, "getThreadRoots");
  t.equal(again[0]?.unsigned?.["m.relations"]?.["m.thread"]?.count, 3);
});

t.test("getEventContext: an event from before the join, and what lies around it", async (t) => {
  const { room, rootId, replyIds, firstId } = await threadFromBefore();
  const { status, body } = await bob.get(
    `${client}/rooms/${room}/context/${rootId}?limit=2`,
    "getEventContext",
  );
  t.equal(status, 200);
  t.same(idsOf(body["events_before"] as ClientEvent[]), [firstId]);
  const messages = await bob.get(`${client}/rooms/${room}/messages?dir=b&limit=100`, "getRoomEvents");
  const ids = idsOf(messages.body["chunk"] as ClientEvent[]);
  t.equal(new Set(ids).size, ids.length);
  const order = [...replyIds.toReversed(), rootId, firstId];
  t.same(
    ids.filter((id) => order.includes(id)),
    order,
    "nothing between has been left out or has changed its place",
  );
});

t.test("getOneRoomEvent: what may not be seen is not shown, wherever it comes from", async (t) => {
  const { room, rootId } = await threadFromBefore("joined");
  const path = `${client}/rooms/${room}/event`;
  t.equal((await bob.get(`${path}/${rootId}`, "getOneRoomEvent")).status, 404);
  t.equal((await bob.get(`${path}/$neither-here-nor-there`, "getOneRoomEvent")).status, 404);
  const relations = `/_matrix/client/v1/rooms/${room}/relations/${encodeURIComponent(rootId)}?limit=5`;
  t.equal((await bob.get(relations, "getRelatingEvents")).status, 404);
  t.same(await pages(`/_matrix/client/v1/rooms/${room}/threads?limit=5`, "getThreadRoots"), []);
});
