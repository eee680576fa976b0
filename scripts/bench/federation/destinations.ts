import { setTimeout as wait } from "node:timers/promises";
import { registerUser, type TestClient } from "../../../spec-tests/support/client.ts";
import { say } from "../../../spec-tests/support/rooms.ts";
import { FakeRoom } from "../../../spec-tests/support/fake-room.ts";
import { joinVia, roomPath } from "../../../spec-tests/support/views.ts";
import { type Network, startNetwork } from "./network.ts";
import { processorMs, report } from "../report.ts";

const members = 500;
const liveServers = 100;
const buildingUpMs = 6_000;
/** By then the dead ones have failed often enough to be left alone for the rest. */
const restMs = 20_000;
const blockMs = 3_000;
const blocks = 4;
/** Always the same, since what is sent faster goes out in fewer transactions. */
const messagesPerSecond = 10;

interface Sent {
  readonly messages: number;
  readonly processorMs: number;
  readonly times: readonly number[];
}

/**
 * Sends messages to a room whose members are on a hundred servers, and by turns to one with 400 dead servers besides: first
 * while it turns out that they are dead, then when that is known.
 */
export async function benchDestinations(): Promise<void> {
  await using network = await startNetwork(liveServers);
  const [alive, spread] = await startRooms(network);
  const client = await registerUser(network.server, "sender");
  await enter(client, network, alive);
  tell("to 100 servers, the first time", await sendFor(network, client, alive, buildingUpMs));
  await enter(client, network, spread);
  tell(
    "to 100 servers and 400 dead ones, the first time",
    await sendFor(network, client, spread, buildingUpMs),
  );
  await wait(restMs);
  const [toAlive, toSpread]: [Sent[], Sent[]] = [[], []];
  for (let block = 0; block < blocks; block++) {
    toAlive.push(await sendFor(network, client, alive, blockMs));
    toSpread.push(await sendFor(network, client, spread, blockMs));
  }
  const [withoutDead, withDead] = [together(toAlive), together(toSpread)];
  tell("to 100 servers", withoutDead);
  tell("to 100 servers and 400 dead ones", withDead);
  report(
    `with the dead ones ${(perMessage(withDead) / perMessage(withoutDead)).toFixed(2)} times the processor time`,
  );
}

async function startRooms({ fake, port, tls, live }: Network): Promise<[FakeRoom, FakeRoom]> {
  const dead = Array.from(
    { length: members - liveServers },
    (_, index) => `127.0.${2 + (index % 4)}.${1 + Math.floor(index / 4)}`,
  );
  const roomOn = (addresses: readonly string[]) => {
    const names = addresses.map((address) => `${address}:${port}`);
    return new FakeRoom(fake, `${live[0]}:${port}`, names, members);
  };
  const rooms: [FakeRoom, FakeRoom] = [roomOn(live), roomOn([...live, ...dead])];
  const answers = rooms.map((room) => room.answering(true));
  for (const address of live) {
    await fake.start(address, port, tls, (request, body, response) =>
      answers.some((answer) => answer(request, body, response)),
    );
  }
  return rooms;
}

async function enter(client: TestClient, { live, port }: Network, { roomId }: FakeRoom): Promise<void> {
  await joinVia(client, roomId, `${live[0]}:${port}`);
  await client.get(roomPath(roomId, "members"));
}

async function sendFor(
  { server }: Network,
  client: TestClient,
  { roomId }: FakeRoom,
  durationMs: number,
): Promise<Sent> {
  const startProcessorMs = processorMs(server.pid);
  const times: number[] = [];
  const startMs = performance.now();
  while (performance.now() < startMs + durationMs) {
    const sentMs = performance.now();
    await say(client, roomId, "to everybody");
    times.push(performance.now() - sentMs);
    const nextMs = startMs + (times.length * 1_000) / messagesPerSecond;
    await wait(Math.max(0, nextMs - performance.now()));
  }
  return { messages: times.length, processorMs: processorMs(server.pid) - startProcessorMs, times };
}

function together(parts: readonly Sent[]): Sent {
  return {
    messages: parts.reduce((sum, { messages }) => sum + messages, 0),
    processorMs: parts.reduce((sum, part) => sum + part.processorMs, 0),
    times: parts.flatMap(({ times }) => times),
  };
}

function perMessage({ messages, processorMs: spentMs }: Sent): number {
  return spentMs / messages;
}

function tell(what: string, sent: Sent): void {
  const sorted = sent.times.toSorted((a, b) => a - b);
  const at = (part: number) => (sorted[Math.floor(sorted.length * part)] ?? 0).toFixed(1);
  report(
    `${what}: ${sent.messages} messages, ${perMessage(sent).toFixed(1)} ms of processor a message, ` +
      `half accepted within ${at(0.5)} ms, 99 of 100 within ${at(0.99)} ms`,
  );
}
