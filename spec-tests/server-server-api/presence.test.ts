import t from "tap";
import { getPresence, presenceOf, setPresence } from "../support/ephemeral.ts";
import { federatedRoom, syncUntil } from "../support/federated-room.ts";
import { registerUser } from "../support/client.ts";
import { createRoom, type Json, leave, type SyncAnswer } from "../support/rooms.ts";
import { joinVia } from "../support/views.ts";
import { until } from "../support/within.ts";

const { alice, bob, one, two, peer, roomId } = await federatedRoom(t);

const isSeen = (userId: string, presence: string, status?: string) => (answer: SyncAnswer) => {
  const seen = presenceOf(answer, userId);
  return seen?.["presence"] === presence && seen["status_msg"] === status;
};
const update = (changes: Json = {}) => ({
  user_id: peer.userId,
  presence: "online",
  last_active_ago: 5_000,
  currently_active: true,
  ...changes,
});
const edu = (...push: unknown[]) => ({ edu_type: "m.presence", content: { push } });
/** The updates of a user that the peer has got. */
const toldOf = (userId: string) =>
  peer
    .edus("m.presence")
    .flatMap(({ push }) => push as Json[])
    .filter((each) => each["user_id"] === userId);

t.test("sendTransaction: changes of presence are told to the servers that share a room", async (t) => {
  await setPresence(alice, { presence: "online", status_msg: "here" });
  const { nextBatch: since } = await syncUntil(bob, isSeen(alice.userId, "online", "here"));
  t.match((await getPresence(bob, alice.userId)).body, {
    presence: "online",
    status_msg: "here",
    currently_active: true,
  });
  const isTold = (presence: string) => toldOf(alice.userId).at(-1)?.["presence"] === presence;
  await until(20_000, "the peer to be told", () => isTold("online"));
  t.match(toldOf(alice.userId).at(-1), {
    presence: "online",
    status_msg: "here",
    currently_active: true,
    last_active_ago: Number,
  });
  await setPresence(alice, { presence: "unavailable" });
  await syncUntil(bob, isSeen(alice.userId, "unavailable"), { since });
  await until(20_000, "the peer to be told again", () => isTold("unavailable"));
  t.notOk("status_msg" in (toldOf(alice.userId).at(-1) ?? {}));
});

t.test("sendTransaction: nothing is told of users with whom a server shares no room", async (t) => {
  const carol = await registerUser(one, "carol");
  const before = peer.received.length;
  await setPresence(carol, { presence: "online", status_msg: "alone" });
  await setPresence(alice, { presence: "online", status_msg: "sentinel" });
  await until(20_000, "the sentinel", () => JSON.stringify(peer.received.slice(before)).includes("sentinel"));
  t.strictSame(toldOf(carol.userId), []);
  const private1 = await createRoom(carol);
  await joinVia(bob, private1, one.name);
  await syncUntil(bob, isSeen(carol.userId, "online", "alone"), { timeout: 0 });
  t.strictSame(toldOf(carol.userId), []);
});

t.test(
  "sendTransaction: a server that comes into a room is told who is there, and tells of its own",
  async (t) => {
    const dora = await registerUser(one, "dora");
    const emil = await registerUser(two, "emil");
    const room = await createRoom(dora, { room_version: "11" });
    await setPresence(dora, { presence: "unavailable", status_msg: "in my room" });
    await setPresence(emil, { presence: "unavailable", status_msg: "coming" });
    await syncUntil(dora, isSeen(dora.userId, "unavailable", "in my room"), { set_presence: "offline" });
    t.strictSame(toldOf(dora.userId), []);
    await peer.join(one, room);
    await until(20_000, "the peer to be told of who is in the room", () => toldOf(dora.userId).length > 0);
    t.match(toldOf(dora.userId)[0], { presence: "unavailable", status_msg: "in my room" });
    await joinVia(emil, room, one.name);
    const quiet = { set_presence: "offline" };
    await syncUntil(emil, isSeen(dora.userId, "unavailable", "in my room"), quiet);
    const answer = await syncUntil(dora, isSeen(emil.userId, "unavailable", "coming"), quiet);
    t.ok(presenceOf(answer, emil.userId));
  },
);

t.test("sendTransaction: a server tells of its own users only, and sense only", async (t) => {
  const { nextBatch: since } = await syncUntil(alice, () => true);
  await peer.sendEdus(
    one,
    edu(
      update({ user_id: bob.userId, status_msg: "forged" }),
      update({ user_id: alice.userId, status_msg: "forged" }),
    ),
    edu(update({ user_id: `@nobody:${peer.name}` })),
    edu(null, 7, [], {}, update({ user_id: 7 })),
    edu(update({ presence: "busy" }), update({ presence: "toString" }), update({ status_msg: 7 })),
    edu(
      update({ status_msg: "x".repeat(2_000) }),
      update({ last_active_ago: -1 }),
      update({ last_active_ago: "1" }),
    ),
    { edu_type: "m.presence", content: { push: "nobody" } },
    { edu_type: "m.presence", content: {} },
    edu(update({ status_msg: "good" })),
  );
  const answer = await syncUntil(alice, (each) => presenceOf(each, peer.userId) !== undefined, { since });
  t.match(presenceOf(answer, peer.userId), {
    presence: "online",
    status_msg: "good",
    currently_active: true,
  });
  t.notMatch(JSON.stringify(answer.body), "forged");
  const { status, body } = await getPresence(alice, peer.userId);
  t.equal(status, 200);
  t.ok(Number(body["last_active_ago"]) >= 5_000);
  t.not((await getPresence(alice, bob.userId)).body["status_msg"], "forged");
  t.equal((await getPresence(alice, `@nobody:${peer.name}`)).status, 403);
});

t.test(
  "sendTransaction: who is there on another server is in a first sync, and goes with the last room",
  async (t) => {
    await peer.sendEdus(one, edu(update({ status_msg: "still here" })));
    const first = await syncUntil(alice, (answer) => presenceOf(answer, peer.userId) !== undefined);
    t.match(presenceOf(first, peer.userId), { presence: "online", status_msg: "still here" });
    await peer.sendEdus(one, edu(update({ presence: "offline" })));
    await syncUntil(alice, isSeen(peer.userId, "offline"), { since: first.nextBatch });
    await leave(alice, roomId);
    t.equal((await getPresence(alice, peer.userId)).status, 403);
  },
);
