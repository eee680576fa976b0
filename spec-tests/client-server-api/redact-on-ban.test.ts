import t, { type Test } from "tap";
import { registerUser, type TestClient } from "../support/client.ts";
import {
  createRoom,
  type Json,
  join,
  leave,
  read,
  say,
  setState,
  sync,
  type TestEvent,
} from "../support/rooms.ts";
import { startServer } from "../support/server.ts";
import { until } from "../support/within.ts";

// MSC4293: a ban or kick that takes away what its target has sent.

const v3 = "/_matrix/client/v3";
const flag = "org.matrix.msc4293.redact_events";
const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());
const alice = await registerUser(server);

function remove(user: TestClient, action: "kick" | "ban", roomId: string, target: TestClient, further: Json) {
  const path = `${v3}/rooms/${encodeURIComponent(roomId)}/${action}`;
  return user.post(path, { user_id: target.userId, reason: "spam", ...further }, action);
}

async function event(user: TestClient, roomId: string, eventId: string): Promise<TestEvent> {
  const path = `${v3}/rooms/${encodeURIComponent(roomId)}/event/${encodeURIComponent(eventId)}`;
  return (await user.get(path, "getOneRoomEvent")).body as unknown as TestEvent;
}

/** Waits until an event has lost its content, and returns it. */
async function redacted(user: TestClient, roomId: string, eventId: string): Promise<TestEvent> {
  const isRedacted = async () =>
    (await event(user, roomId, eventId)).unsigned?.["redacted_because"] !== undefined;
  await until(30_000, "the event to be redacted", isRedacted);
  return event(user, roomId, eventId);
}

async function stays(t: Test, roomId: string, eventIds: readonly string[], why: string): Promise<void> {
  for (const eventId of eventIds) {
    t.notOk((await event(alice, roomId, eventId)).unsigned?.["redacted_because"], why);
  }
}

t.test("ban, kick: what the target has sent since they joined is redacted, and nothing else", async (t) => {
  for (const [action, version] of [
    ["ban", "12"],
    ["kick", "6"],
  ] as const) {
    const [spammer, bystander] = [await registerUser(server), await registerUser(server)];
    const roomId = await createRoom(alice, { room_version: version }, spammer, bystander);
    const earlier = await say(spammer, roomId, "a fair question");
    await leave(spammer, roomId);
    await join(spammer, roomId);
    const spam = [await say(spammer, roomId, "BUY"), await say(spammer, roomId, "NOW")];
    await setState(
      spammer,
      roomId,
      "m.room.member",
      { membership: "join", displayname: "BUY" },
      spammer.userId,
    );
    spam.push(await say(spammer, roomId, "CHEAP"));
    const kept = await say(bystander, roomId, "what was that?");
    const elsewhere = await createRoom(alice, {}, spammer);
    const other = await say(spammer, elsewhere, "hello");
    const since = (await sync(bystander)).nextBatch;

    t.equal((await remove(alice, action, roomId, spammer, { [flag]: true })).status, 200);
    for (const eventId of spam) {
      const gone = await redacted(bystander, roomId, eventId);
      t.strictSame(gone.content, {});
      t.match(gone.unsigned?.["redacted_because"], {
        type: "m.room.member",
        sender: alice.userId,
        state_key: spammer.userId,
        content: { membership: action === "ban" ? "ban" : "leave", reason: "spam", [flag]: true },
      });
    }
    await stays(t, roomId, [earlier], "of an earlier stay");
    await stays(t, roomId, [kept], "of somebody else");
    await stays(t, elsewhere, [other], "of another room");
    const told = (await sync(bystander, { since })).room("join", roomId).timeline.events;
    t.match(told, [{ type: "m.room.member", content: { [flag]: true } }], "clients do the same");
    const messages = await read(bystander, "getRoomEvents", roomId, "messages", { dir: "b", limit: 50 });
    t.notMatch(JSON.stringify(messages.body), /BUY|NOW|CHEAP/);
  }
});

t.test("setRoomStateWithKey: the same by way of the member event, to the last of many events", async (t) => {
  const spammer = await registerUser(server);
  const roomId = await createRoom(alice, {}, spammer);
  const first = await say(spammer, roomId, "first");
  for (let count = 0; count < 120; count += 1) await say(spammer, roomId, `spam ${count}`);
  await setState(alice, roomId, "m.room.member", { membership: "ban", [flag]: true }, spammer.userId);
  await server.restart();
  t.strictSame((await redacted(alice, roomId, first)).content, {}, "a restart does not end it");
  await until(30_000, "all to be redacted", async () => {
    const { body } = await read(alice, "getRoomEvents", roomId, "messages", { dir: "b", limit: 200 });
    return !JSON.stringify(body).includes("spam ");
  });
});

t.test("ban, kick: nothing is redacted by who may not, without the flag, or by leaving", async (t) => {
  const [moderator, target] = [await registerUser(server), await registerUser(server)];
  const power = { users: { [alice.userId]: 100, [moderator.userId]: 50 }, redact: 75 };
  const room = { room_version: "11", power_level_content_override: power };
  const roomId = await createRoom(alice, room, moderator, target);
  const eventIds = [await say(target, roomId, "one")];
  const rejoin = async () => {
    await join(target, roomId);
    eventIds.push(await say(target, roomId, "another"));
  };
  t.equal((await remove(moderator, "kick", roomId, target, { [flag]: true })).status, 200);
  await rejoin();
  for (const value of [false, undefined]) {
    t.equal((await remove(alice, "kick", roomId, target, { [flag]: value })).status, 200);
    await rejoin();
  }
  await setState(target, roomId, "m.room.member", { membership: "leave", [flag]: true }, target.userId);
  await rejoin();
  t.equal((await remove(alice, "kick", roomId, target, { [flag]: "yes" })).status, 400);
  const last = eventIds.pop() ?? "";
  t.equal((await remove(alice, "ban", roomId, target, { [flag]: true })).status, 200);
  await redacted(alice, roomId, last);
  await stays(t, roomId, eventIds, "what came before was not asked for, or not allowed");
});
