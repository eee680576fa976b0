import t from "tap";
import { registerUser } from "../support/client.ts";
import { serverAndRoomsElsewhere } from "../support/rooms-elsewhere.ts";
import { ServerProcess } from "../support/server-process.ts";
import { joinVia, roomPath } from "../support/views.ts";
import { patienceMs, until } from "../support/within.ts";

const { server, hosts, makeRoom } = await serverAndRoomsElsewhere(t, ["127.0.1.1"], (config) =>
  ServerProcess.start(config),
);
const [host = ""] = hosts;
const room = makeRoom(host, hosts);

t.test("sendJoinV2: a server that is killed while it joins a room goes on, or begins anew", async (t) => {
  const client = await registerUser(server, "joiner");
  const join = () => joinVia(client, room.roomId, host);
  const joinedRooms = async () => (await client.get("/_matrix/client/v3/joined_rooms")).body["joined_rooms"];

  const half = Promise.withResolvers<void>();
  room.joinGate = half.promise;
  const brokenOff = t.rejects(join(), { name: "TypeError" }, "the client's connection is gone");
  await until(patienceMs, "the room to be joined", () => room.joins === 1);
  await server.end("SIGKILL");
  await brokenOff;
  half.resolve();
  await server.start();
  t.same(await joinedRooms(), [], "who was not told of success is not in the room");

  const gate = Promise.withResolvers<void>();
  room.gate = gate.promise;
  t.equal(await join(), room.roomId);
  await until(patienceMs, "the members to be asked for", () => room.asked === 1);
  await server.end("SIGKILL");
  await server.start();
  t.same(await joinedRooms(), [room.roomId], "who was told is");
  await until(patienceMs, "them to be asked for again", () => room.asked === 2);
  gate.resolve();
  const { body } = await client.get(roomPath(room.roomId, "members"));
  t.equal((body["chunk"] as unknown[]).length, 5, "all members are known in the end");
  t.same(server.complaints, []);
});
