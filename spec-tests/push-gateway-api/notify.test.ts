import t from "tap";
import { registerUser, type TestClient } from "../support/client.ts";
import { postReceipt } from "../support/ephemeral.ts";
import { PushGateway, pusherBody, pushkeysOf, setPusher } from "../support/push-gateway.ts";
import { createRoom, join, moderate, redact, say, send, setState } from "../support/rooms.ts";
import { startServer } from "../support/server.ts";

const gateway = await PushGateway.start();
t.teardown(() => gateway[Symbol.asyncDispose]());
const server = await startServer(await gateway.config(t));
t.teardown(() => server[Symbol.asyncDispose]());
const alice = await registerUser(server, "alice");
const carol = await registerUser(server, "carol");
let users = 0;

/** Somebody with a pusher, whose pushkey is their name, in a new room with two others. */
async function userWithPusher(
  rest: Record<string, unknown> = {},
): Promise<{ user: TestClient; roomId: string; pushkey: string }> {
  const pushkey = `user${++users}`;
  const user = await registerUser(server, pushkey);
  const roomId = await createRoom(alice, { name: "Mission Control" }, user, carol);
  await setPusher(user, pusherBody(gateway.url, pushkey, rest));
  return { user, roomId, pushkey };
}

const mention = (user: TestClient) => ({
  msgtype: "m.text",
  body: "look",
  "m.mentions": { user_ids: [user.userId] },
});

t.test("notify: all about an event", async (t) => {
  const { roomId, pushkey } = await userWithPusher({
    data: { url: gateway.url, brand: { colour: "blue" } },
  });
  await setState(
    alice,
    roomId,
    "m.room.member",
    { membership: "join", displayname: "Major Tom" },
    alice.userId,
  );
  const alias = "#control:hearth.test";
  await alice.put(`/_matrix/client/v3/directory/room/${encodeURIComponent(alias)}`, { room_id: roomId });
  await setState(alice, roomId, "m.room.canonical_alias", { alias });
  const eventId = await say(alice, roomId, "floating in a most peculiar way");
  const notification = await gateway.event(pushkey, eventId);
  const [device] = notification.devices;
  t.type(device?.["pushkey_ts"], "number");
  t.strictSame(notification, {
    event_id: eventId,
    room_id: roomId,
    type: "m.room.message",
    sender: alice.userId,
    sender_display_name: "Major Tom",
    room_name: "Mission Control",
    room_alias: alias,
    prio: "low",
    content: { msgtype: "m.text", body: "floating in a most peculiar way" },
    counts: { unread: 1 },
    devices: [
      {
        app_id: "test.app",
        pushkey,
        pushkey_ts: device?.["pushkey_ts"],
        data: { brand: { colour: "blue" } },
        tweaks: {},
      },
    ],
  });
});

t.test("notify: event_id_only tells no more than it must", async (t) => {
  const data = { url: gateway.url, format: "event_id_only" };
  const { user, roomId, pushkey } = await userWithPusher({ data });
  const eventId = await send(alice, roomId, "m.room.message", mention(user));
  const { devices, ...rest } = await gateway.event(pushkey, eventId);
  t.strictSame(rest, { event_id: eventId, room_id: roomId, prio: "high", counts: { unread: 1 } });
  t.match(devices, [{ app_id: "test.app", pushkey, data: { format: "event_id_only" } }]);
});

t.test("notify: a mention has its tweaks and is urgent", async (t) => {
  const { user, roomId, pushkey } = await userWithPusher();
  const plain = await gateway.event(pushkey, await say(carol, roomId, "hello"));
  t.match(plain, { prio: "low", counts: { unread: 1 } });
  const notification = await gateway.event(
    pushkey,
    await send(alice, roomId, "m.room.message", mention(user)),
  );
  t.match(notification, { prio: "high", counts: { unread: 2 } });
  t.strictSame(notification.devices[0]?.tweaks, { highlight: true, sound: "default" });
});

t.test("notify: an invitation, to whoever is invited", async (t) => {
  const { user, pushkey } = await userWithPusher();
  const roomId = await createRoom(alice, { preset: "private_chat" });
  await moderate(alice, roomId, "invite", user.userId);
  const received = await gateway.until(pushkey, "the invitation", (all) =>
    all.some(({ type }) => type === "m.room.member"),
  );
  t.match(received.at(-1), { room_id: roomId, user_is_target: true, content: { membership: "invite" } });
  await join(user, roomId);
});

t.test("notify: what does not notify is not told: own messages, notices, muted rooms", async (t) => {
  const { user, roomId, pushkey } = await userWithPusher();
  const muted = await createRoom(alice, {}, user, carol);
  const rule = `/_matrix/client/v3/pushrules/global/room/${encodeURIComponent(muted)}`;
  t.equal((await user.put(rule, { actions: [] }, "setPushRule")).status, 200);
  await say(alice, muted, "unheard");
  await say(user, roomId, "my own");
  await send(alice, roomId, "m.room.message", { msgtype: "m.notice", body: "noticed by nobody" });
  const eventId = await say(alice, roomId, "heard");
  const notification = await gateway.event(pushkey, eventId);
  t.match(notification, { counts: { unread: 1 } });
  t.strictSame(gateway.eventsOf(pushkey), [eventId]);
});

t.test("notify: in order, and each device of a user", async (t) => {
  const { user, roomId, pushkey } = await userWithPusher();
  await setPusher(user, pusherBody(gateway.url, `${pushkey}-tablet`));
  const sent: string[] = [];
  for (let n = 0; n < 10; n++) sent.push(await say(alice, roomId, `message ${n}`));
  for (const key of [pushkey, `${pushkey}-tablet`]) {
    await gateway.event(key, sent.at(-1) ?? "");
    t.strictSame(gateway.eventsOf(key), sent, key);
  }
});

t.test("notify: reading takes the badge away", async (t) => {
  const { user, roomId, pushkey } = await userWithPusher();
  const other = await createRoom(alice, {}, user, carol);
  await gateway.event(pushkey, await say(alice, roomId, "one"));
  const second = await say(alice, roomId, "two");
  await gateway.event(pushkey, second);
  const third = await say(alice, other, "three");
  t.match(await gateway.event(pushkey, third), { counts: { unread: 3 } });
  await postReceipt(user, roomId, second);
  const unreadIs = (count: number) => (all: readonly { counts?: unknown; event_id?: string }[]) =>
    all.some(
      ({ counts, event_id: id }) => id === undefined && (counts as { unread?: number }).unread === count,
    );
  await gateway.until(pushkey, "a badge of 1", unreadIs(1));
  await postReceipt(user, other, third);
  await gateway.until(pushkey, "a badge of 0", unreadIs(0));
  t.match(gateway.of(pushkey).at(-1), { prio: "low", counts: { unread: 0 }, devices: [{ pushkey }] });
});

t.test("notify: a rejected pushkey is given up", async (t) => {
  const { user, roomId, pushkey } = await userWithPusher();
  await setPusher(user, pusherBody(gateway.url, `${pushkey}-good`));
  gateway.verdict = () => ({ rejected: [pushkey] });
  await gateway.event(pushkey, await say(alice, roomId, "one"));
  await gateway.event(`${pushkey}-good`, await say(alice, roomId, "two"));
  gateway.verdict = () => undefined;
  await gateway.event(`${pushkey}-good`, await say(alice, roomId, "three"));
  t.strictSame(await pushkeysOf(user), [`${pushkey}-good`]);
  t.equal(gateway.of(pushkey).length, 1);
});

t.test("notify: a gateway that fails is told again, in order, with nothing left out", async (t) => {
  const { roomId, pushkey } = await userWithPusher();
  let failures = 0;
  gateway.verdict = ({ devices }) =>
    devices[0]?.pushkey === pushkey && failures++ < 1 ? { status: 500 } : undefined;
  const first = await say(alice, roomId, "one");
  const second = await say(alice, roomId, "two");
  await gateway.event(pushkey, second);
  gateway.verdict = () => undefined;
  t.strictSame(gateway.eventsOf(pushkey), [first, first, second]);
});

t.test("notify: a gateway that was not there, and what has been read or redacted meanwhile", async (t) => {
  const { user, roomId, pushkey } = await userWithPusher();
  const other = await createRoom(alice, {}, user, carol);
  await gateway.close();
  const read = await say(alice, roomId, "read");
  const redacted = await say(alice, other, "redacted");
  await redact(alice, other, redacted);
  await postReceipt(user, roomId, read);
  const wanted = await say(alice, roomId, "wanted");
  await gateway.open();
  const notification = await gateway.event(pushkey, wanted);
  t.match(notification, { counts: { unread: 1 } });
  t.strictSame(gateway.eventsOf(pushkey), [wanted]);
});

t.test("notify: a device that has logged out is told nothing more", async (t) => {
  const { user, roomId, pushkey } = await userWithPusher();
  const { pushkey: other, user: otherUser } = await userWithPusher();
  await join(otherUser, roomId);
  await user.post("/_matrix/client/v3/logout", {}, "logout");
  await gateway.event(other, await say(alice, roomId, "anybody there?"));
  t.strictSame(gateway.of(pushkey), []);
});

t.test("notify: a pusher that is switched off is told of nothing, until it is on again", async (t) => {
  const { user, roomId, pushkey } = await userWithPusher();
  const toggle = (enabled: boolean) =>
    setPusher(user, pusherBody(gateway.url, pushkey, { "org.matrix.msc3881.enabled": enabled }));
  await setPusher(user, pusherBody(gateway.url, `${pushkey} witness`));
  await toggle(false);
  const missed = await say(alice, roomId, "nobody hears this");
  await gateway.event(`${pushkey} witness`, missed);
  await toggle(true);
  const heard = await say(alice, roomId, "and now?");
  await gateway.event(pushkey, heard);
  t.strictSame(gateway.eventsOf(pushkey), [heard]);
});
