import { createServer } from "node:net";
import t from "tap";
import { registerUser } from "../support/client.ts";
import { PushGateway, pusherBody, setPusher } from "../support/push-gateway.ts";
import { createRoom, moderate, say } from "../support/rooms.ts";
import { startServer } from "../support/server.ts";
import { ServerProcess } from "../support/server-process.ts";
import { freePort } from "../support/free-port.ts";

const gateway = await PushGateway.start();
t.teardown(() => gateway[Symbol.asyncDispose]());
const config = await gateway.config(t);

t.test("notify: what could not be told before a restart is told after it, once", async (t) => {
  await using server = await startServer(config);
  const alice = await registerUser(server, "alice");
  const bob = await registerUser(server, "bob");
  const carol = await registerUser(server, "carol");
  const roomId = await createRoom(alice, {}, bob, carol);
  await setPusher(bob, pusherBody(gateway.url, "bob"));
  await setPusher(carol, pusherBody(gateway.url, "carol"));
  const told = await say(alice, roomId, "told");
  await Promise.all([gateway.event("bob", told), gateway.event("carol", told)]);
  await gateway.close();
  const missed = [await say(alice, roomId, "one"), await say(alice, roomId, "two")];
  const privateRoom = await createRoom(alice, { preset: "private_chat" });
  await moderate(alice, privateRoom, "invite", bob.userId);
  await server.restart();
  await gateway.open();
  await server.restart();
  await gateway.until("bob", "an invitation", (all) => all.some(({ type }) => type === "m.room.member"));
  const last = await say(alice, roomId, "three");
  await gateway.event("bob", last);
  await gateway.event("carol", last);
  t.strictSame(gateway.eventsOf("carol"), [told, ...missed, last]);
  const invites = gateway.of("bob").filter(({ type }) => type === "m.room.member");
  t.match(invites, [{ room_id: privateRoom, user_is_target: true }]);
  const messages = gateway.of("bob").filter(({ type }) => type === "m.room.message");
  t.strictSame(
    messages.map(({ event_id: id }) => id),
    [told, ...missed, last],
  );
});

t.test("notify: nothing is lost when the server is killed", async (t) => {
  await using server = await ServerProcess.start(config);
  const alice = await registerUser(server, "alice");
  const dave = await registerUser(server, "dave");
  const roomId = await createRoom(alice, {}, dave);
  await setPusher(dave, pusherBody(gateway.url, "dave"));
  const told = await say(alice, roomId, "told");
  await gateway.event("dave", told);
  await gateway.close();
  const missed = [await say(alice, roomId, "one"), await say(alice, roomId, "two")];
  await server.end("SIGKILL");
  await gateway.open();
  await server.start();
  await gateway.event("dave", missed[1] ?? "");
  t.strictSame([...new Set(gateway.eventsOf("dave"))], [told, ...missed]);
});

t.test("notify: a gateway on a private address is not connected to unless that is allowed", async (t) => {
  let connections = 0;
  const port = await freePort();
  const trap = createServer((socket) => {
    connections += 1;
    socket.destroy();
  }).listen(port, "127.0.0.1");
  t.teardown(() => trap.close());
  const { push } = config;
  await using server = await startServer({ push: { ...push, allowed_private_ranges: ["127.0.0.2"] } });
  const alice = await registerUser(server, "alice");
  const erin = await registerUser(server, "erin");
  const roomId = await createRoom(alice, {}, erin);
  for (const host of ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"]) {
    await setPusher(erin, pusherBody(`https://${host}:${port}/_matrix/push/v1/notify`, host));
  }
  await setPusher(erin, pusherBody(gateway.url, "erin"));
  await say(alice, roomId, "one");
  // Long enough for a second attempt.
  await new Promise((resolve) => {
    setTimeout(resolve, 2_000);
  });
  t.equal(connections, 0);
  t.strictSame(gateway.of("erin"), []);
});
