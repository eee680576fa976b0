import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join as pathTo } from "node:path";
import t from "tap";
import { testCertificate } from "../../src/outbound/testing/certificate.ts";
import { registerUser } from "../support/client.ts";
import { FakeRoom } from "../support/fake-room.ts";
import { FakeServers } from "../support/fake-servers.ts";
import { freePort } from "../support/free-port.ts";
import { ServerProcess } from "../support/server-process.ts";
import { patienceMs, until } from "../support/within.ts";

const port = await freePort();
const host = `127.0.1.1:${port}`;
const tls = testCertificate("127.0.1.1");
const folder = await mkdtemp(pathTo(tmpdir(), "hearth-killed-"));
const certificate = pathTo(folder, "cert.pem");
await writeFile(certificate, tls.cert);
const fake = new FakeServers();
const room = new FakeRoom(fake, host, [host], 3);
await fake.start("127.0.1.1", port, tls, room.answering(true));
const server = await ServerProcess.start({
  server_name: "127.0.0.1:1",
  federation: { extra_ca_file: certificate, allowed_private_ranges: ["127.0.0.0/8"] },
});
t.teardown(async () => {
  await server[Symbol.asyncDispose]();
  await fake[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

t.test("sendJoinV2: a server that is killed while it joins a room goes on, or begins anew", async (t) => {
  const client = await registerUser(server, "joiner");
  const roomPath = encodeURIComponent(room.roomId);
  const join = () => client.post(`/_matrix/client/v3/join/${roomPath}?server_name=${host}`, {});
  const joinedRooms = async () => (await client.get("/_matrix/client/v3/joined_rooms")).body["joined_rooms"];

  const half = Promise.withResolvers<void>();
  room.joinGate = half.promise;
  const brokenOff = t.rejects(join(), "the client's connection is gone");
  await until(patienceMs, "the room to be joined", () => room.joins === 1);
  await server.end("SIGKILL");
  await brokenOff;
  half.resolve();
  await server.start();
  t.same(await joinedRooms(), [], "who was not told of success is not in the room");

  const gate = Promise.withResolvers<void>();
  room.gate = gate.promise;
  t.equal((await join()).status, 200);
  await until(patienceMs, "the members to be asked for", () => room.asked === 1);
  await server.end("SIGKILL");
  await server.start();
  t.same(await joinedRooms(), [room.roomId], "who was told is");
  await until(patienceMs, "them to be asked for again", () => room.asked === 2);
  gate.resolve();
  const { body } = await client.get(`/_matrix/client/v3/rooms/${roomPath}/members`);
  t.equal((body["chunk"] as unknown[]).length, 5, "all members are known in the end");
  t.same(server.complaints, []);
});
