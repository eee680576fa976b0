import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { registerUser, type TestClient } from "../../../spec-tests/support/client.ts";
import { createRoom, say } from "../../../spec-tests/support/rooms.ts";
import { FakeRoom } from "../../../spec-tests/support/fake-room.ts";
import { joinVia } from "../../../spec-tests/support/views.ts";
import { LoopDelays } from "../loop-delays.ts";
import { type Network, startNetwork } from "./network.ts";
import { processorMs, report } from "../report.ts";

const liveServers = 40;
const deadServers = 100;
const silentServers = 20;
const sendEveryMs = 20;

/** Joins a room whose members are on many servers, some of which are gone. */
export async function benchJoin(memberCount = 20_000): Promise<void> {
  for (const omitsMembers of [true, false]) {
    await using delays = await LoopDelays.prepare();
    await using network = await startNetwork(liveServers, delays.options);
    const room = await largeRoom(network, memberCount, omitsMembers);
    const client = await registerUser(network.server, "joiner");
    const beside = await createRoom(client);
    await delays.take(network.server);
    await using sending = keepSending(client, beside);
    const before = memoryOf(network.server.pid);
    const processorBeforeMs = processorMs(network.server.pid);
    const startMs = performance.now();
    await joinVia(client, room.roomId, `${network.live[0]}:${network.port}`);
    const answeredMs = performance.now() - startMs;
    const found = await membersOf(client, room.roomId);
    const completeMs = performance.now() - startMs;
    const loop = await delays.take(network.server);
    report(
      `join, ${memberCount} members, ${omitsMembers ? "members left out" : "all state at once"}: ` +
        `answered after ${seconds(answeredMs)}, complete (${found} members) after ${seconds(completeMs)}, ` +
        `memory ${before} MB before, ${memoryOf(network.server.pid)} MB at most, ` +
        `processor time ${seconds(processorMs(network.server.pid) - processorBeforeMs)}, ` +
        `event-loop delay p50 ${loop.p50}, p99 ${loop.p99}, maximum ${loop.max} ms beside ${sending.sent} messages`,
    );
  }
}

/** Sends a message every few milliseconds, as others do while somebody joins. */
function keepSending(client: TestClient, roomId: string) {
  const state = { sent: 0, isOver: false };
  const work = (async () => {
    for (; !state.isOver; state.sent++) {
      await say(client, roomId, "beside");
      await delay(sendEveryMs);
    }
  })();
  return Object.assign(state, {
    async [Symbol.asyncDispose]() {
      state.isOver = true;
      await work;
    },
  });
}

async function largeRoom(network: Network, memberCount: number, omitsMembers: boolean): Promise<FakeRoom> {
  const { fake, port, tls, live } = network;
  const dead = Array.from({ length: deadServers }, (_, index) => `127.0.2.${index + 1}`);
  const silent = Array.from({ length: silentServers }, (_, index) => `127.0.3.${index + 1}`);
  for (const address of silent) await fake.startSilent(address, port);
  // Most members are on servers that answer.
  const names = [...Array.from({ length: 20 }, () => live).flat(), ...dead, ...silent].map(
    (address) => `${address}:${port}`,
  );
  const room = new FakeRoom(fake, `${live[0]}:${port}`, names, memberCount);
  for (const address of live) await fake.start(address, port, tls, room.answering(omitsMembers));
  return room;
}

/** Waits for the whole list of members, however long it takes. */
async function membersOf(client: TestClient, roomId: string): Promise<number> {
  const path = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/members?membership=join`;
  const { status, body } = await client.call(undefined, "GET", path);
  if (body["errcode"] === "M_LIMIT_EXCEEDED") return membersOf(client, roomId);
  if (status !== 200) throw new Error(JSON.stringify(body));
  return (body["chunk"] as unknown[]).length;
}

/** The most memory that a process has had, in megabytes. */
function memoryOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(2)} s`;
}
