import t from "tap";
import { ephemeral, postReceipt, setMarkers } from "../support/ephemeral.ts";
import { federatedRoom, syncUntil } from "../support/federated-room.ts";
import { createRoom, type Json, say, send, setState, sync, type SyncAnswer } from "../support/rooms.ts";
import { until } from "../support/within.ts";

const { alice, bob, one, peer, roomId } = await federatedRoom(t);

type Reads = Record<string, Record<string, Record<string, Json>>>;

/** What an answer to /sync says of who has read up to an event. */
const readersOf = (answer: SyncAnswer, eventId: string) =>
  (ephemeral(answer, roomId, "m.receipt") as Reads | undefined)?.[eventId]?.["m.read"] ?? {};
const hasRead = (userId: string, eventId: string) => (answer: SyncAnswer) =>
  Object.hasOwn(readersOf(answer, eventId), userId);
const hasEvent = (eventId: string) => (answer: SyncAnswer) =>
  answer.find("join", roomId)?.timeline.events.some((event) => event.event_id === eventId) ?? false;

const receipt = (eventIds: unknown, data: unknown = { ts: 1_000 }) => ({ event_ids: eventIds, data });
const edu = (reads: Json, room: string = roomId) => ({
  edu_type: "m.receipt",
  content: { [room]: { "m.read": reads } },
});

t.test("sendTransaction: what has been read is seen on other servers, thread by thread", async (t) => {
  const root = await say(alice, roomId, "root");
  const reply = await send(alice, roomId, "m.room.message", {
    msgtype: "m.text",
    body: "in the thread",
    "m.relates_to": { rel_type: "m.thread", event_id: root },
  });
  await syncUntil(bob, hasEvent(reply));
  const { nextBatch: since } = await syncUntil(alice, () => true);
  await postReceipt(bob, roomId, root, { thread_id: "main" });
  await postReceipt(bob, roomId, reply, { thread_id: root });
  const inMain = await syncUntil(alice, hasRead(bob.userId, root), { since });
  t.match(readersOf(inMain, root)[bob.userId], { thread_id: "main", ts: Number });
  const inThread = await syncUntil(alice, hasRead(bob.userId, reply), { since });
  t.match(readersOf(inThread, reply)[bob.userId], { thread_id: root, ts: Number });
});

t.test("sendTransaction: private receipts are not told; several in a moment are told together", async (t) => {
  const first = await say(bob, roomId, "first");
  const second = await say(bob, roomId, "second");
  await syncUntil(alice, hasEvent(second));
  const told = () => peer.edus("m.receipt");
  const before = told().length;
  await postReceipt(alice, roomId, second, {}, "m.read.private");
  await setMarkers(alice, roomId, { "m.fully_read": first, "m.read": first });
  await until(20_000, "the peer to be told", () => told().length > before);
  const users = told()
    .slice(before)
    .map((content) => (content[roomId] as Record<string, Json>)["m.read"]);
  t.match(users, [{ [alice.userId]: { event_ids: [first], data: { ts: Number } } }]);
  t.notMatch(JSON.stringify(told()), second);
});

t.test(
  "sendTransaction: a server tells what its own users have read in rooms that they are in",
  async (t) => {
    const eventId = await say(alice, roomId, "to be read");
    const earlier = await say(alice, roomId, "later");
    const { nextBatch: since } = await syncUntil(alice, hasEvent(earlier));
    const good = receipt([eventId]);
    const own = (wrong: unknown) => edu({ [peer.userId]: wrong });
    await peer.sendEdus(
      one,
      edu({ [bob.userId]: good, [alice.userId]: good, [`@nobody:${peer.name}`]: good, nonsense: good }),
      edu({ [peer.userId]: good }, "!unknown:example.org"),
      edu({ [peer.userId]: good }, "nonsense"),
      own(receipt([])),
      own(receipt([7, "nonsense", {}])),
      own(receipt(eventId)),
      own(receipt([eventId], {})),
      own(receipt([eventId], { ts: "now" })),
      own(receipt([eventId], { ts: -1 })),
      own(receipt([eventId], { ts: 1.5 })),
      own(receipt([eventId], { ts: 1, thread_id: 7 })),
      own(receipt([eventId], { ts: 1, thread_id: "x".repeat(300) })),
      own(null),
      { edu_type: "m.receipt", content: { [roomId]: { "m.read.private": { [peer.userId]: good } } } },
      { edu_type: "m.receipt", content: { [roomId]: [] } },
      edu({ [peer.userId]: receipt(["$unknown", earlier, eventId], { ts: 5 }) }),
    );
    const answer = await syncUntil(alice, hasRead(peer.userId, earlier), { since });
    t.strictSame(ephemeral(answer, roomId, "m.receipt"), {
      [earlier]: { "m.read": { [peer.userId]: { ts: 5 } } },
    });
  },
);

t.test("sendTransaction: a receipt that comes before its event counts when that comes", async (t) => {
  const { nextBatch: since } = await syncUntil(alice, () => true);
  const made = await peer.request(
    one,
    "GET",
    `/_matrix/federation/v1/make_leave/${encodeURIComponent(roomId)}/${encodeURIComponent(peer.userId)}`,
  );
  const { prev_events, auth_events, depth } = made.body["event"] as Json;
  const { id, pdu } = peer.event({
    type: "m.room.message",
    room_id: roomId,
    sender: peer.userId,
    content: { msgtype: "m.text", body: "read before it was there" },
    prev_events,
    auth_events,
    depth,
  });
  await peer.sendEdus(one, edu({ [peer.userId]: receipt([id], { ts: 7 }) }));
  const uri = "/_matrix/federation/v1/send/late-event";
  const sent = await peer.request(one, "PUT", uri, { origin: peer.name, origin_server_ts: 1, pdus: [pdu] });
  t.strictSame(sent.body, { pdus: { [id]: {} } });
  const answer = await syncUntil(alice, hasRead(peer.userId, id), { since });
  t.strictSame(readersOf(answer, id), { [peer.userId]: { ts: 7 } });
});

t.test("sendTransaction: what was read just before a stop is told after the next start", async (t) => {
  const eventId = await say(bob, roomId, "the last of the day");
  await syncUntil(alice, hasEvent(eventId));
  await postReceipt(alice, roomId, eventId);
  await one.restart();
  const isTold = () => peer.edus("m.receipt").some((content) => JSON.stringify(content).includes(eventId));
  t.ok(await until(20_000, "the peer to be told", isTold));
});

t.test(
  "sendTransaction: a server that the room's ACL denies tells nothing of what was read there",
  async (t) => {
    const eventId = await say(alice, roomId, "not for everybody");
    const other = await createRoom(alice, { room_version: "11" });
    await peer.join(one, other);
    const sentinel = await say(alice, other, "for everybody");
    const acl = { allow: ["*"], deny: ["127.0.0.1"], allow_ip_literals: true };
    await setState(alice, roomId, "m.room.server_acl", acl);
    const reads = (id: string) => ({ "m.read": { [peer.userId]: receipt([id]) } });
    const content = { [roomId]: reads(eventId), [other]: reads(sentinel) };
    await peer.sendEdus(one, { edu_type: "m.receipt", content });
    const readIn = (answer: SyncAnswer) => ephemeral(answer, other, "m.receipt") as Reads | undefined;
    const answer = await syncUntil(alice, (each) => readIn(each) !== undefined);
    t.strictSame(Object.keys(readIn(answer)?.[sentinel]?.["m.read"] ?? {}), [peer.userId]);
    t.strictSame(readersOf(await sync(alice), eventId), {});
  },
);
