import t from "tap";
import { registerUser } from "../support/client.ts";
import { ephemeral, setTyping } from "../support/ephemeral.ts";
import { createRoom, leave, moderate, say, send, sync } from "../support/rooms.ts";
import { startServer } from "../support/server.ts";

const server = await startServer({ presence: { enabled: false } });
t.teardown(() => server[Symbol.asyncDispose]());
const alice = await registerUser(server, "alice");
const bob = await registerUser(server, "bob");

t.test("setTyping, sync: the room sees who begins and who stops, and first syncs who is at it", async (t) => {
  const roomId = await createRoom(alice, {}, bob);
  let since = (await sync(alice)).nextBatch;
  const news = async () => {
    const answer = await sync(alice, { since, timeout: 2_000 });
    since = answer.nextBatch;
    return ephemeral(answer, roomId, "m.typing");
  };
  t.equal((await setTyping(bob, roomId, { typing: true })).status, 200);
  t.same(await news(), { user_ids: [bob.userId] });
  await setTyping(alice, roomId, { typing: true, timeout: 20_000 });
  t.same(await news(), { user_ids: [bob.userId, alice.userId] });
  t.same(ephemeral(await sync(bob), roomId, "m.typing"), { user_ids: [bob.userId, alice.userId] });
  await setTyping(bob, roomId, { typing: false });
  t.same(await news(), { user_ids: [alice.userId] });
  await setTyping(alice, roomId, { typing: false });
  t.same(await news(), { user_ids: [] });
  t.same(ephemeral(await sync(bob), roomId, "m.typing"), { user_ids: [] });
});

t.test("setTyping: going on typing, or going on not to, is no news", async (t) => {
  const roomId = await createRoom(alice, {}, bob);
  await setTyping(bob, roomId, { typing: true });
  const since = (await sync(alice)).nextBatch;
  await setTyping(bob, roomId, { typing: true });
  await setTyping(alice, roomId, { typing: false });
  t.notOk((await sync(alice, { since })).hasRooms);
});

t.test("setTyping, sync: typing ends by itself", async (t) => {
  const roomId = await createRoom(alice, {}, bob);
  await setTyping(bob, roomId, { typing: true, timeout: 200 });
  const answer = await sync(alice);
  t.same(ephemeral(answer, roomId, "m.typing"), { user_ids: [bob.userId] });
  const later = await sync(alice, { since: answer.nextBatch, timeout: 5_000 });
  t.same(ephemeral(later, roomId, "m.typing"), { user_ids: [] });
});

t.test(
  "setTyping, sendMessage, leaveRoom: a message, and leaving, end typing; a reaction does not",
  async (t) => {
    const roomId = await createRoom(alice, {}, bob);
    await setTyping(bob, roomId, { typing: true });
    const eventId = await say(alice, roomId, "hi");
    const reaction = { "m.relates_to": { rel_type: "m.annotation", event_id: eventId, key: "+" } };
    await send(bob, roomId, "m.reaction", reaction);
    t.same(ephemeral(await sync(alice), roomId, "m.typing"), { user_ids: [bob.userId] });
    await say(bob, roomId, "hello");
    t.same(ephemeral(await sync(alice), roomId, "m.typing"), { user_ids: [] });
    await setTyping(bob, roomId, { typing: true });
    await leave(bob, roomId);
    t.same(ephemeral(await sync(alice), roomId, "m.typing"), { user_ids: [] });
    const other = await createRoom(alice, {}, bob);
    await setTyping(bob, other, { typing: true });
    await moderate(alice, other, "kick", bob.userId);
    t.same(ephemeral(await sync(alice), other, "m.typing"), { user_ids: [] });
  },
);

t.test("setTyping: for oneself, in rooms one is in, in the form that is asked for", async (t) => {
  const roomId = await createRoom(alice);
  const refused = async (answer: ReturnType<typeof setTyping>, status: number, errcode: string) => {
    t.equal((await answer).status, status);
    t.equal((await answer).body["errcode"], errcode);
  };
  await refused(setTyping(bob, roomId, { typing: true }), 403, "M_FORBIDDEN");
  await refused(setTyping(bob, "!unknown:hearth.test", { typing: true }), 403, "M_FORBIDDEN");
  await refused(setTyping(alice, roomId, { typing: true }, bob.userId), 403, "M_FORBIDDEN");
  await refused(setTyping(alice, roomId, { typing: true }, "alice"), 400, "M_INVALID_PARAM");
  await refused(setTyping(alice, "room", { typing: true }), 400, "M_INVALID_PARAM");
  await refused(setTyping(alice, roomId, {}), 400, "M_BAD_JSON");
  await refused(setTyping(alice, roomId, { typing: "yes" }), 400, "M_BAD_JSON");
  await refused(setTyping(alice, roomId, { typing: true, timeout: "1" }), 400, "M_BAD_JSON");
  await refused(setTyping(alice, roomId, { typing: true, timeout: -1 }), 400, "M_BAD_JSON");
  t.notOk(ephemeral(await sync(alice), roomId, "m.typing"));
});
