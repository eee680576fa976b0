import { registerUser, type TestClient } from "../../../spec-tests/support/client.ts";
import { say } from "../../../spec-tests/support/rooms.ts";
import { FakeRoom } from "../../../spec-tests/support/fake-room.ts";
import { type Network, startNetwork } from "./network.ts";
import { processorMs, report } from "./report.ts";

const members = 500;
const liveServers = 100;
const measuredMs = 10_000;
const clients = 8;

/** Sends messages to a room whose members are on a hundred servers, and to one with 400 dead servers besides. */
export async function benchDestinations(): Promise<void> {
  for (const withDead of [false, true]) {
    await using network = await startNetwork(liveServers);
    const room = await spreadRoom(network, withDead);
    const client = await registerUser(network.server, "sender");
    const path = `/_matrix/client/v3/join/${encodeURIComponent(room.roomId)}?server_name=${network.live[0]}:${network.port}`;
    const joined = await client.call(undefined, "POST", path, {});
    if (joined.status !== 200) throw new Error(JSON.stringify(joined.body));
    await client.call(
      undefined,
      "GET",
      `/_matrix/client/v3/rooms/${encodeURIComponent(room.roomId)}/members`,
    );
    const startMs = processorMs(network.server.pid);
    const times = await sendAll(client, room.roomId);
    const processor = (processorMs(network.server.pid) - startMs) / times.length;
    const heard = [...network.fake.requests.values()].filter((count) => count > 0).length;
    report(
      `sending to ${liveServers} servers${withDead ? ` and ${members - liveServers} dead ones` : ""}: ` +
        `${Math.round((times.length / measuredMs) * 1_000)} messages/s, half within ${at(times, 0.5)} ms, ` +
        `99 of 100 within ${at(times, 0.99)} ms, processor time ${processor.toFixed(1)} ms a message; ${heard} servers were asked something`,
    );
  }
}

async function spreadRoom({ fake, port, tls, live }: Network, withDead: boolean): Promise<FakeRoom> {
  const dead = Array.from(
    { length: members - liveServers },
    (_, index) => `127.0.${2 + (index % 4)}.${1 + Math.floor(index / 4)}`,
  );
  const addresses = withDead ? [...live, ...dead] : live;
  const names = addresses.map((address) => `${address}:${port}`);
  const room = new FakeRoom(fake, `${live[0]}:${port}`, names, members);
  for (const address of live) await fake.start(address, port, tls, room.answering(true));
  return room;
}

/** @returns how long each message took, in ascending order */
async function sendAll(client: TestClient, roomId: string): Promise<number[]> {
  const times: number[] = [];
  const end = performance.now() + measuredMs;
  const send = async () => {
    for (let startMs = performance.now(); startMs < end; startMs = performance.now()) {
      await say(client, roomId, "to everybody");
      times.push(performance.now() - startMs);
    }
  };
  await Promise.all(Array.from({ length: clients }, send));
  return times.sort((a, b) => a - b);
}

function at(times: readonly number[], part: number): string {
  return (times[Math.floor(times.length * part)] ?? 0).toFixed(1);
}
