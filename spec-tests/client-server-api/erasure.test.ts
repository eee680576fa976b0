import t, { type Test } from "tap";
import { passwordAuth, registerUser, type TestClient } from "../support/client.ts";
import {
  bodiesOf,
  createRoom,
  join,
  leave,
  read,
  say,
  send,
  setState,
  sync,
  type TestEvent,
} from "../support/rooms.ts";
import { searchAll } from "../support/search.ts";
import { startServer } from "../support/server.ts";
import { Connection, oneList } from "../support/sliding-sync.ts";

t.setTimeout(120_000);
const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());
const alice = await registerUser(server, "alice");

async function erase(user: TestClient): Promise<void> {
  const body = { auth: passwordAuth(user), erase: true };
  const { status } = await user.post("/_matrix/client/v3/account/deactivate", body, "deactivateAccount");
  if (status !== 200) throw new Error(`deactivating answered ${status}`);
}

/** The text messages of a room, oldest first; those without their content are `undefined`. */
async function messages(client: TestClient, roomId: string): Promise<unknown[]> {
  const { body } = await read(client, "getRoomEvents", roomId, "messages", { dir: "b", limit: 50 });
  return bodiesOf((body["chunk"] as TestEvent[]).toReversed());
}

t.test(
  "deactivateAccount with erase: whoever joins later sees redacted copies, whoever was there all of it",
  async (t) => {
    const [bob, carol, dave] = [
      await registerUser(server),
      await registerUser(server),
      await registerUser(server),
    ];
    const roomId = await createRoom(alice, { name: "Room" }, bob, dave);
    await leave(dave, roomId);
    const ofBob = await say(bob, roomId, "personal");
    await say(alice, roomId, "of alice");
    const reply = {
      msgtype: "m.text",
      body: "in a thread",
      "m.relates_to": { rel_type: "m.thread", event_id: ofBob },
    };
    await send(alice, roomId, "m.room.message", reply);
    await setState(alice, roomId, "m.room.topic", { topic: "stays" });
    await join(carol, roomId);
    t.same(await messages(carol, roomId), ["personal", "of alice", "in a thread"]);
    await erase(bob);
    const erin = await registerUser(server);
    await join(erin, roomId);
    await join(dave, roomId);
    const check = async (t: Test) => {
      for (const [name, client] of Object.entries({ alice, carol })) {
        t.same(
          await messages(client, roomId),
          ["personal", "of alice", "in a thread"],
          `${name} had seen it`,
        );
        t.same(await searchAll(client, "personal"), [ofBob], `${name} finds it`);
      }
      for (const [name, client] of Object.entries({ erin, dave })) {
        t.same(
          await messages(client, roomId),
          [undefined, "of alice", "in a thread"],
          `${name} was not there`,
        );
        t.same(await searchAll(client, "personal"), [], `${name} does not find it`);
        t.same(await searchAll(client, "alice"), await searchAll(alice, "alice"), `${name} finds the others`);
      }
    };
    await check(t);
    const single = await read(erin, "getOneRoomEvent", roomId, `event/${encodeURIComponent(ofBob)}`);
    t.same(single.body["content"], {});
    t.equal((single.body as unknown as TestEvent).sender, bob.userId, "who said it is no secret");
    const context = await read(erin, "getEventContext", roomId, `context/${encodeURIComponent(ofBob)}`);
    t.same((context.body["event"] as TestEvent).content, {});
    const threads = await read(erin, "getThreadRoots", roomId, "threads", {}, "v1");
    t.same(
      (threads.body["chunk"] as TestEvent[]).map(({ content }) => content),
      [{}],
    );
    const filter = { room: { timeline: { limit: 50 } } };
    t.same((await sync(erin, { filter })).bodies(roomId), [undefined, "of alice", "in a thread"]);
    t.same((await sync(alice, { filter })).bodies(roomId), ["personal", "of alice", "in a thread"]);
    const sliding = await new Connection(erin).sync(
      oneList({ ranges: [[0, 9]], timeline_limit: 50, required_state: [["m.room.name", ""]] }),
    );
    t.same(bodiesOf(sliding.rooms[roomId]?.timeline ?? []), [undefined, "of alice", "in a thread"]);
    t.equal(sliding.rooms[roomId]?.name, "Room", "the room is what it is");
    await server.restart();
    await check(t);
  },
);

t.test("deactivateAccount without erase hides nothing", async (t) => {
  const bob = await registerUser(server);
  const roomId = await createRoom(alice, {}, bob);
  await say(bob, roomId, "stays");
  await bob.post("/_matrix/client/v3/account/deactivate", { auth: passwordAuth(bob) }, "deactivateAccount");
  const carol = await registerUser(server);
  await join(carol, roomId);
  t.same(await messages(carol, roomId), ["stays"]);
});
