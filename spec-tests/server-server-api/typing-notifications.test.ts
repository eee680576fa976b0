import t from "tap";
import { ephemeral, setTyping } from "../support/ephemeral.ts";
import { federatedRoom, syncUntil } from "../support/federated-room.ts";
import { say, setState, type SyncAnswer } from "../support/rooms.ts";
import { until } from "../support/within.ts";

const { alice, bob, one, peer, roomId } = await federatedRoom(t);

const typers = (answer: SyncAnswer) => ephemeral(answer, roomId, "m.typing")?.["user_ids"];
const areTyping =
  (...userIds: string[]) =>
  (answer: SyncAnswer) =>
    JSON.stringify(typers(answer)) === JSON.stringify(userIds);
const typingEdu = (changes: Record<string, unknown> = {}) => ({
  edu_type: "m.typing",
  content: { room_id: roomId, user_id: peer.userId, typing: true, ...changes },
});

t.test("sendTransaction: who types is seen on other servers, until they stop", async (t) => {
  const told = () => peer.edus("m.typing").map(({ user_id, typing }) => [user_id, typing]);
  t.equal((await setTyping(alice, roomId, { typing: true, timeout: 60_000 })).status, 200);
  const { nextBatch: since } = await syncUntil(bob, areTyping(alice.userId));
  await until(20_000, "the peer to be told", () => told().length > 0);
  t.strictSame(peer.edus("m.typing"), [{ room_id: roomId, user_id: alice.userId, typing: true }]);
  await setTyping(alice, roomId, { typing: true, timeout: 60_000 });
  await setTyping(alice, roomId, { typing: false });
  await syncUntil(bob, areTyping(), { since });
  await until(20_000, "the peer to be told again", () => told().length > 1);
  t.strictSame(told(), [
    [alice.userId, true],
    [alice.userId, false],
  ]);
});

t.test("sendTransaction: who sends a message types no longer, on any server", async (t) => {
  await setTyping(bob, roomId, { typing: true, timeout: 60_000 });
  const { nextBatch: since } = await syncUntil(alice, areTyping(bob.userId));
  await say(bob, roomId, "done");
  t.strictSame(typers(await syncUntil(alice, areTyping(), { since })), []);
});

t.test(
  "sendTransaction: a server tells of the typing of its own users in rooms that they are in",
  async (t) => {
    const before = await syncUntil(alice, () => true);
    await peer.sendEdus(
      one,
      typingEdu({ user_id: bob.userId }),
      typingEdu({ user_id: alice.userId }),
      typingEdu({ user_id: `@nobody:${peer.name}` }),
      typingEdu({ room_id: "!unknown:example.org" }),
      typingEdu({ room_id: 7 }),
      typingEdu({ user_id: [peer.userId] }),
      typingEdu({ typing: "yes" }),
      { edu_type: "m.typing", content: {} },
      { edu_type: "m.typing" },
      typingEdu(),
    );
    const answer = await syncUntil(alice, (each) => typers(each) !== undefined, { since: before.nextBatch });
    t.strictSame(typers(answer), [peer.userId]);
    await peer.sendEdus(one, typingEdu({ typing: false }));
    await syncUntil(alice, areTyping(), { since: answer.nextBatch });
  },
);

t.test("sendTransaction: a server that the room's ACL denies tells of nobody's typing there", async (t) => {
  const acl = { allow: ["*"], deny: [peer.name.split(":")[0]], allow_ip_literals: true };
  const { nextBatch: since } = await syncUntil(alice, () => true);
  await setState(alice, roomId, "m.room.server_acl", acl);
  await peer.sendEdus(one, typingEdu());
  await setTyping(alice, roomId, { typing: true, timeout: 60_000 });
  const answer = await syncUntil(alice, (each) => typers(each) !== undefined, { since });
  t.strictSame(typers(answer), [alice.userId]);
});
