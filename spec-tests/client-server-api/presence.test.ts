import t from "tap";
import { login, registerUser, type TestClient } from "../support/client.ts";
import { getPresence, presenceOf, setPresence } from "../support/ephemeral.ts";
import { createRoom, join, type Json, type Query, say, sync, type SyncAnswer } from "../support/rooms.ts";
import { startServer } from "../support/server.ts";

const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());

/** Two users who share a room. */
async function pair(): Promise<{ alice: TestClient; bob: TestClient; roomId: string }> {
  const [alice, bob] = [await registerUser(server), await registerUser(server)];
  return { alice, bob, roomId: await createRoom(alice, {}, bob) };
}

/** Syncs until an answer says something of a user's presence. */
async function awaitPresence(
  client: TestClient,
  userId: string,
  since: string,
): Promise<{ content: Json; answer: SyncAnswer }> {
  for (let attempts = 0, from = since; attempts < 20; attempts++) {
    const answer = await sync(client, { since: from, timeout: 2_000, set_presence: "offline" });
    const content = presenceOf(answer, userId);
    if (content) return { content, answer };
    from = answer.nextBatch;
  }
  throw new Error(`nothing was said of ${userId}`);
}

const quietSync = (client: TestClient, query: Query = {}) =>
  sync(client, { set_presence: "offline", ...query });

t.test("setPresence, getPresence: what is set is seen, at once and with the time of it", async (t) => {
  const { alice, bob } = await pair();
  t.same((await getPresence(bob, alice.userId)).body, { presence: "offline" });
  t.equal((await setPresence(alice, { presence: "unavailable", status_msg: "at lunch" })).status, 200);
  const seen = await getPresence(bob, alice.userId);
  t.match(seen.body, { presence: "unavailable", status_msg: "at lunch", currently_active: false });
  t.ok(Number(seen.body["last_active_ago"]) < 60_000);
  await setPresence(alice, { presence: "online", status_msg: null });
  t.match((await getPresence(alice, alice.userId)).body, { presence: "online", currently_active: true });
  t.notOk("status_msg" in (await getPresence(bob, alice.userId)).body);
});

t.test("setPresence, sync: those who share a room are told, others are not", async (t) => {
  const { alice, bob } = await pair();
  const carol = await registerUser(server);
  const [ofBob, ofCarol] = [(await quietSync(bob)).nextBatch, (await quietSync(carol)).nextBatch];
  await setPresence(alice, { presence: "online", status_msg: "here" });
  const { content, answer } = await awaitPresence(bob, alice.userId, ofBob);
  t.match(content, {
    presence: "online",
    status_msg: "here",
    currently_active: true,
    last_active_ago: Number,
  });
  t.notOk(presenceOf(await quietSync(carol, { since: ofCarol }), alice.userId));
  t.notOk(presenceOf(await quietSync(carol), alice.userId));
  t.notOk(presenceOf(await quietSync(bob, { since: answer.nextBatch }), alice.userId), "told once");
  await setPresence(alice, { presence: "online", status_msg: "here" });
  t.notOk(
    presenceOf(await quietSync(bob, { since: answer.nextBatch, timeout: 200 }), alice.userId),
    "no news",
  );
});

t.test("sync: set_presence makes its user online, idle or nothing", async (t) => {
  const { alice, bob } = await pair();
  const state = async () => (await getPresence(bob, alice.userId)).body["presence"];
  await sync(alice, { set_presence: "offline" });
  t.equal(await state(), "offline");
  await sync(alice, { set_presence: "unavailable" });
  t.equal(await state(), "unavailable");
  const phone = await login(server, alice);
  await sync(phone);
  t.equal(await state(), "online", "the liveliest device counts");
  await sync(phone, { set_presence: "offline" });
  t.equal(await state(), "online");
  t.match(presenceOf(await quietSync(alice), alice.userId), { presence: "online" }, "users see themselves");
});

t.test("sync: a message makes its sender online again", async (t) => {
  const { alice, bob, roomId } = await pair();
  await setPresence(alice, { presence: "unavailable" });
  await say(alice, roomId, "back");
  t.equal((await getPresence(bob, alice.userId)).body["presence"], "online");
});

t.test(
  "sync: a first sync, and whoever joins, are told who is there; so are those who are joined",
  async (t) => {
    const { alice, bob, roomId } = await pair();
    const carol = await registerUser(server);
    const [ofBob, ofCarol] = [(await quietSync(bob)).nextBatch, (await quietSync(carol)).nextBatch];
    await setPresence(alice, { presence: "online" });
    await setPresence(carol, { presence: "unavailable", status_msg: "new" });
    await awaitPresence(bob, alice.userId, ofBob);
    t.match(presenceOf(await quietSync(bob), alice.userId), { presence: "online" });
    const before = (await quietSync(bob)).nextBatch;
    await join(carol, roomId);
    const first = await quietSync(carol, { since: ofCarol });
    t.match(presenceOf(first, alice.userId), { presence: "online" });
    t.notOk(presenceOf(first, bob.userId), "who is not there is not named");
    const { content } = await awaitPresence(bob, carol.userId, before);
    t.match(content, { presence: "unavailable", status_msg: "new" });
  },
);

t.test("sync: filters choose whose presence is told", async (t) => {
  const { alice, bob } = await pair();
  await setPresence(alice, { presence: "online" });
  const none = { presence: { not_senders: [alice.userId] } };
  t.notOk(presenceOf(await quietSync(bob, { filter: none }), alice.userId));
  t.notOk(presenceOf(await quietSync(bob, { filter: { presence: { types: [] } } }), alice.userId));
});

t.test("setPresence, getPresence: bad input and what is not one's business", async (t) => {
  const { alice, bob } = await pair();
  const stranger = await registerUser(server);
  const refused = async (answer: ReturnType<typeof setPresence>, status: number, errcode: string) => {
    t.equal((await answer).status, status);
    t.equal((await answer).body["errcode"], errcode);
  };
  await refused(setPresence(alice, { presence: "online" }, bob.userId), 403, "M_FORBIDDEN");
  await refused(setPresence(alice, { presence: "online" }, "alice"), 400, "M_INVALID_PARAM");
  await refused(setPresence(alice, { presence: "busy" }), 400, "M_BAD_JSON");
  await refused(setPresence(alice, {}), 400, "M_BAD_JSON");
  await refused(setPresence(alice, { presence: "online", status_msg: 1 }), 400, "M_BAD_JSON");
  await refused(setPresence(alice, { presence: "online", status_msg: "x".repeat(1001) }), 400, "M_BAD_JSON");
  await refused(getPresence(stranger, alice.userId), 403, "M_FORBIDDEN");
  await refused(getPresence(stranger, "@nobody:hearth.test"), 403, "M_FORBIDDEN");
  await refused(getPresence(stranger, "nobody"), 400, "M_INVALID_PARAM");
  t.equal((await getPresence(alice, alice.userId)).body["presence"], "offline", "nothing has changed");
});

t.test(
  "setPresence: the status message survives a restart, and who was there has time to come back",
  async (t) => {
    const { alice, bob } = await pair();
    await setPresence(alice, { presence: "online", status_msg: "digging" });
    await server.restart();
    t.match((await getPresence(bob, alice.userId)).body, { presence: "online", status_msg: "digging" });
  },
);

t.test("setPresence, getPresence: where presence is switched off everybody is offline", async (t) => {
  const quiet = await startServer({ presence: { enabled: false } });
  t.teardown(() => quiet[Symbol.asyncDispose]());
  const user = await registerUser(quiet, "alice");
  t.equal((await setPresence(user, { presence: "online", status_msg: "x" })).status, 200);
  t.same((await getPresence(user, user.userId)).body, { presence: "offline" });
  t.notOk((await sync(user)).body["presence"]);
});
