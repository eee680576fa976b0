import t from "tap";
import { registerUser } from "../support/client.ts";
import { createRoom, join, leave, moderate, say, setState, sync } from "../support/rooms.ts";
import { startServer } from "../support/server.ts";

t.test("sync: a token from before a restart brings what came before and after it, once", async (t) => {
  await using server = await startServer();
  const alice = await registerUser(server, "alice");
  const bob = await registerUser(server, "bob");
  const [busy, quiet, leaving] = [
    await createRoom(alice, { name: "Busy" }, bob),
    await createRoom(alice, { name: "Quiet" }, bob),
    await createRoom(alice, { name: "Leaving" }, bob),
  ];
  const since = (await sync(bob)).nextBatch;
  await say(alice, busy, "before");
  await leave(bob, leaving);
  const invited = await createRoom(alice, { invite: [bob.userId] });
  await bob.put(`/_matrix/client/v3/user/${bob.userId}/account_data/org.example.note`, { n: 1 });
  await server.restart();
  await say(alice, busy, "after");
  await setState(alice, busy, "m.room.topic", { topic: "after" });

  const answer = await sync(bob, { since, timeout: 10_000 });
  t.same(answer.bodies(busy), ["before", "after"]);
  t.equal(answer.room("join", busy).timeline.limited, false);
  t.equal(answer.find("join", quiet), undefined, "nothing has happened there");
  t.equal(answer.room("leave", leaving).timeline.events.at(-1)?.content["membership"], "leave");
  t.ok(answer.find("invite", invited));
  t.match(answer.body["account_data"], { events: [{ type: "org.example.note", content: { n: 1 } }] });
  const nothing = await sync(bob, { since: answer.nextBatch });
  t.notOk(nothing.hasRooms);
  t.notOk("account_data" in nothing.body);
});

t.test("sync: waits after a restart as before, with an old token", async (t) => {
  await using server = await startServer();
  const alice = await registerUser(server, "alice");
  const bob = await registerUser(server, "bob");
  const roomId = await createRoom(alice, {}, bob);
  const since = (await sync(bob)).nextBatch;
  await server.restart();
  const waiting = sync(bob, { since, timeout: 20_000 });
  await say(alice, roomId, "hello again");
  t.same((await waiting).bodies(roomId), ["hello again"]);
  const carol = await registerUser(server, "carol");
  await join(carol, roomId);
  await moderate(alice, roomId, "kick", bob.userId);
  t.ok((await sync(bob, { since })).find("leave", roomId));
});
