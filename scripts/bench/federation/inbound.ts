import { registerUser } from "../../../spec-tests/support/client.ts";
import { FakePeer } from "../../../spec-tests/support/fake-peer.ts";
import {
  type FederatedServer,
  startFederatedServers,
} from "../../../spec-tests/support/federated-servers.ts";
import { report } from "../report.ts";

const eventCount = 10_000;
const eventsOfTransaction = 50;
const maxMs = 120_000;
const client = "/_matrix/client/v3";

/**
 * Takes 10,000 messages of one server for one room, in full transactions one after the other, until the last is shown: ten
 * times what may wait. The peer runs in the same process; what it sends has been signed before. It takes no notice of the
 * reader's join, so that the room is forked all the while.
 */
export async function benchInbound(): Promise<void> {
  await using servers = await startFederatedServers(1);
  const [server] = servers;
  if (!server) throw new Error("a server is needed");
  await using peer = await FakePeer.start(servers.tls);
  const { roomId, transactions, last } = await prepared(server, peer);
  const reader = await registerUser(server, "reader");
  await reader.call(undefined, "POST", `${client}/join/${encodeURIComponent(roomId)}`, {});
  const cpuBefore = process.cpuUsage();
  const start = performance.now();
  for (const [index, pdus] of transactions.entries()) {
    const content = { origin: peer.name, origin_server_ts: 1, pdus };
    const uri = `/_matrix/federation/v1/send/bench-${index}`;
    const { status, body } = await peer.request(server, "PUT", uri, content);
    if (status !== 200) throw new Error(JSON.stringify(body));
    if (performance.now() - start > maxMs)
      throw new Error(`only ${index + 1} transactions have been answered`);
  }
  const path = `${client}/rooms/${encodeURIComponent(roomId)}/event/${encodeURIComponent(last)}`;
  while ((await reader.get(path)).status !== 200) {
    if (performance.now() - start > maxMs) throw new Error("not all events have come");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const tookMs = performance.now() - start;
  const { user, system } = process.cpuUsage(cpuBefore);
  report(
    `${eventCount} events of one server for one room: ${Math.round((eventCount / tookMs) * 1_000)} events/s, ` +
      `${((user + system) / eventCount).toFixed(0)} µs of all processors for each`,
  );
}

async function prepared(server: FederatedServer, peer: FakePeer) {
  const owner = await registerUser(server, "owner");
  const created = await owner.call(undefined, "POST", `${client}/createRoom`, {
    preset: "public_chat",
    room_version: "11",
  });
  const roomId = created.body["room_id"] as string;
  const { joinId } = await peer.join(server, roomId);
  const id = async (type: string) => {
    const path = `${client}/rooms/${encodeURIComponent(roomId)}/state/${type}?format=event`;
    return (await owner.get(path)).body["event_id"] as string;
  };
  const auth = [await id("m.room.create"), await id("m.room.power_levels"), joinId];
  const transactions: Record<string, unknown>[][] = [];
  let last = joinId;
  for (let sent = 0; sent < eventCount; sent++) {
    const event = peer.event({
      room_id: roomId,
      type: "m.room.message",
      sender: peer.userId,
      content: { msgtype: "m.text", body: `message ${sent}` },
      depth: 20 + sent,
      prev_events: [last],
      auth_events: auth,
    });
    last = event.id;
    if (sent % eventsOfTransaction === 0) transactions.push([]);
    transactions.at(-1)?.push(event.pdu);
  }
  return { roomId, transactions, last };
}
