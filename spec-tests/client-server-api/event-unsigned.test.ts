import t, { type Test } from "tap";
import { login, registerUser, type TestClient } from "../support/client.ts";
import { createRoom, type Json, join, leave, say, send, sync, type TestEvent } from "../support/rooms.ts";
import { startServer } from "../support/server.ts";
import { oneList, slidingSync } from "../support/sliding-sync.ts";

// What servers add to events for whoever reads them, the same wherever they are read.

const v3 = "/_matrix/client/v3";
const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());
const alice = await registerUser(server);
const bob = await registerUser(server);
let transactions = 0;

/** An event by every way in which a client can come upon it. */
async function everywhere(user: TestClient, roomId: string, eventId: string): Promise<[string, TestEvent][]> {
  const room = `${v3}/rooms/${encodeURIComponent(roomId)}`;
  const event = encodeURIComponent(eventId);
  const [synced, messages, context, single, slid] = await Promise.all([
    sync(user),
    user.get(`${room}/messages?dir=b&limit=50`, "getRoomEvents"),
    user.get(`${room}/context/${event}?limit=0`, "getEventContext"),
    user.get(`${room}/event/${event}`, "getOneRoomEvent"),
    slidingSync(user, oneList()),
  ]);
  const found = (events: unknown) => (events as TestEvent[]).find(({ event_id: id }) => id === eventId);
  const all: [string, TestEvent | undefined][] = [
    ["sync", found(synced.room("join", roomId).timeline.events)],
    ["messages", found(messages.body["chunk"])],
    ["context", context.body["event"] as TestEvent],
    ["event", single.body as unknown as TestEvent],
    ["sliding sync", found(slid.rooms[roomId]?.timeline)],
  ];
  return all.flatMap(([name, shown]) => (shown ? [[name, shown] as [string, TestEvent]] : []));
}

function eachHas(t: Test, events: readonly [string, TestEvent][], unsigned: Json): void {
  t.equal(events.length, 5, "it is found everywhere");
  for (const [name, event] of events) t.match(event.unsigned, unsigned, name);
}

t.test(
  "sendMessage, sync, getRoomEvents: the device that sent an event finds its transaction ID",
  async (t) => {
    const user = await registerUser(server);
    const roomId = await createRoom(user, {}, bob);
    const eventId = await send(user, roomId, "m.room.message", { msgtype: "m.text", body: "1" }, "my txn");
    eachHas(t, await everywhere(user, roomId, eventId), { transaction_id: "my txn" });
    const tablet = await login(server, user);
    for (const other of [tablet, bob]) {
      for (const [name, { unsigned }] of await everywhere(other, roomId, eventId)) {
        t.notOk(unsigned && "transaction_id" in unsigned, `${name}: ${other.deviceId}`);
      }
    }
    const again = await login(server, user, { deviceId: user.deviceId });
    eachHas(t, await everywhere(again, roomId, eventId), { transaction_id: "my txn" });
  },
);

t.test(
  "sync, getRoomEvents, getOneRoomEvent: how old an event is, and the reader's membership",
  async (t) => {
    const roomId = await createRoom(alice, {});
    const before = await say(alice, roomId, "before Bob is there");
    await join(bob, roomId);
    const after = await say(alice, roomId, "while he is there");
    eachHas(t, await everywhere(bob, roomId, before), { membership: "leave" });
    eachHas(t, await everywhere(bob, roomId, after), { membership: "join" });
    for (const [name, { unsigned = {} }] of await everywhere(bob, roomId, before)) {
      const { age } = unsigned;
      t.ok(typeof age === "number" && age >= 0 && age < 600_000, `${name}: ${String(age)}`);
    }
    await leave(bob, roomId);
    const gone = await bob.get(
      `${v3}/rooms/${encodeURIComponent(roomId)}/event/${encodeURIComponent(after)}`,
      "getOneRoomEvent",
    );
    t.match(gone.body["unsigned"], { membership: "join" }, "at the event, not now");
  },
);

t.test("sendMessage: a redaction by way of /send, in each room version (MSC4169)", async (t) => {
  const { body } = await alice.get("/_matrix/client/versions", "getVersions");
  t.match(body, { unstable_features: { "com.beeper.msc4169": true } });
  for (const version of ["1", "3", "10", "11", "12"]) {
    const roomId = await createRoom(alice, { room_version: version }, bob);
    const target = await say(alice, roomId, "oops");
    const redaction = { redacts: target, reason: "typo" };
    const path = `${v3}/rooms/${encodeURIComponent(roomId)}/send/m.room.redaction/r${++transactions}`;
    const sent = await alice.put(path, redaction, "sendMessage");
    t.equal(sent.status, 200, `version ${version}`);
    const redactionId = String(sent.body["event_id"]);
    eachHas(t, await everywhere(bob, roomId, target), {
      redacted_because: { event_id: redactionId, type: "m.room.redaction", content: { reason: "typo" } },
    });
    for (const [name, event] of await everywhere(bob, roomId, redactionId)) {
      t.equal(event.redacts, target, `version ${version}: ${name}, for old clients`);
      t.match(event.content, redaction, `version ${version}: ${name}, for new clients`);
    }
    t.strictSame(
      (await everywhere(bob, roomId, target)).map(([, { content }]) => content),
      [{}, {}, {}, {}, {}],
    );
  }
});

t.test("setAccountData: what clients share about chats and emoji reaches every device", async (t) => {
  const carol = await registerUser(server);
  const entries = {
    "m.direct": { [bob.userId]: ["!a:hearth.test"] },
    "m.recent_emoji": { recent_emoji: [{ emoji: "🔥", total: 3 }] },
    "io.element.recent_emoji": { recent_emoji: [["🔥", 3]] },
    "m.key_backup": { enabled: true },
    "io.element.msc4278.media_preview_config": { media_previews: "private", invite_avatars: "off" },
  };
  const tablet = await login(server, carol);
  const since = (await sync(tablet)).nextBatch;
  const extensions = { account_data: { enabled: true } };
  const { pos } = await slidingSync(tablet, oneList({}, { extensions }));
  for (const [type, content] of Object.entries(entries)) {
    await carol.put(`${v3}/user/${carol.userId}/account_data/${type}`, content, "setAccountData");
  }
  const told = (await sync(tablet, { since })).body["account_data"] as { events: TestEvent[] };
  const slid = await slidingSync(tablet, oneList({}, { extensions }), { pos });
  for (const events of [told.events, slid.extensions["account_data"]?.["global"] as TestEvent[]]) {
    t.strictSame(Object.fromEntries(events.map(({ type, content }) => [type, content])), entries);
  }
});
