import t from "tap";
import { registerUser } from "../support/client.ts";
import { FakePeer } from "../support/fake-peer.ts";
import { createRoom, type Json, moderate } from "../support/rooms.ts";
import { serverAndRoomsElsewhere } from "../support/rooms-elsewhere.ts";
import { ServerProcess } from "../support/server-process.ts";
import { patienceMs, until } from "../support/within.ts";

const { server, tls } = await serverAndRoomsElsewhere(t, ["127.0.0.1"], (config) =>
  ServerProcess.start(config),
);

t.test(
  "sendTransaction: a server whose last user is banned hears of it, though this one is killed",
  async (t) => {
    await using peer = await FakePeer.start(tls);
    const alice = await registerUser(server, "alice");
    const roomId = await createRoom(alice, { room_version: "11", preset: "public_chat" });
    await peer.join(server, roomId);
    peer.answers.set("/_matrix/federation/v1/send/", () => ({ status: 502, body: {} }));
    await moderate(alice, roomId, "ban", peer.userId);
    await server.end("SIGKILL");
    peer.answers.clear();
    await server.start();
    const isBan = ({ state_key: user, content }: Json) =>
      user === peer.userId && (content as Json)["membership"] === "ban";
    const received = () => peer.received.flatMap(({ pdus }) => pdus as Json[]);
    await until(patienceMs, "the ban", () => received().some(isBan));
    t.same(server.complaints, []);
  },
);
