// Measures syncing for an account in many rooms: `npm run bench:sync [-- rooms members]`. The server is a process of its own.
import { registerUser, type TestClient } from "../../spec-tests/support/client.ts";
import { createRoom, join, queryOf, say, sync } from "../../spec-tests/support/rooms.ts";
import { ServerProcess } from "../../spec-tests/support/server-process.ts";
import { oneList, slidingSyncPath } from "../../spec-tests/support/sliding-sync.ts";
import { processorMs, report } from "./report.ts";

const [rooms = 100, members = 50] = process.argv.slice(2).map(Number);
const messagesPerRoom = 20;
const repeats = 30;
const idleSyncs = 3_000;

/** What Element X asks for at first. */
const window = oneList(
  {
    ranges: [[0, 19]],
    timeline_limit: 20,
    required_state: [
      ["m.room.create", ""],
      ["m.room.name", ""],
      ["m.room.topic", ""],
      ["m.room.avatar", ""],
      ["m.room.canonical_alias", ""],
      ["m.room.encryption", ""],
      ["m.room.power_levels", ""],
      ["m.room.member", "$LAZY"],
      ["m.room.member", "$ME"],
    ],
  },
  { extensions: { to_device: { enabled: true }, e2ee: { enabled: true }, account_data: { enabled: true } } },
);
const lazy = queryOf({ filter: { room: { state: { lazy_load_members: true } } } });

/** Answers are read as text: what a client does with them is its own affair. */
async function ask(client: TestClient, path: string, body?: object): Promise<number> {
  const response = await fetch(client.server.url + path, {
    headers: { Authorization: `Bearer ${client.accessToken}`, "Content-Type": "application/json" },
    ...(body && { method: "POST", body: JSON.stringify(body) }),
  });
  const { length } = await response.text();
  if (response.status !== 200) throw new Error(`${path} answered ${response.status}`);
  return length;
}

async function seed(server: ServerProcess): Promise<TestClient> {
  const everybody: TestClient[] = [];
  for (let index = 0; index < members; index++) everybody.push(await registerUser(server));
  const [reader, ...others] = everybody;
  if (!reader) throw new Error("nobody is there to sync");
  for (let room = 0; room < rooms; room++) {
    const roomId = await createRoom(reader, { name: `Room ${room}` });
    await Promise.all(others.map((member) => join(member, roomId)));
    for (let message = 0; message < messagesPerRoom; message++) {
      await say(everybody[message % members] ?? reader, roomId, `Message ${message} of many`);
    }
  }
  return reader;
}

async function measure(pid: number, what: string, run: () => Promise<number>): Promise<void> {
  const first = performance.now();
  const length = await run();
  const firstMs = performance.now() - first;
  const times: number[] = [];
  const before = processorMs(pid);
  for (let turn = 0; turn < repeats; turn++) {
    const startMs = performance.now();
    await run();
    times.push(performance.now() - startMs);
  }
  const cpuMs = (processorMs(pid) - before) / repeats;
  times.sort((a, b) => a - b);
  const at = (part: number) => times[Math.floor(part * times.length)]?.toFixed(1);
  report(
    `${what}: first ${firstMs.toFixed(1)} ms, then best ${at(0)} ms, median ${at(0.5)} ms, ` +
      `${cpuMs.toFixed(1)} ms of processor time (${(length / 1024).toFixed(0)} KiB)`,
  );
}

async function measureIdle(server: ServerProcess, reader: TestClient): Promise<void> {
  const { nextBatch } = await sync(reader);
  const path = `/_matrix/client/v3/sync${queryOf({ since: nextBatch, timeout: 0 })}`;
  const versions = "/_matrix/client/versions";
  for (const warmUp of [path, versions]) for (let turn = 0; turn < 500; turn++) await ask(reader, warmUp);
  for (const [what, asked] of Object.entries({ "incremental sync with nothing new": path, versions })) {
    const before = processorMs(server.pid);
    for (let turn = 0; turn < idleSyncs; turn++) await ask(reader, asked);
    const cpuMs = (processorMs(server.pid) - before) / idleSyncs;
    report(`${what}: ${cpuMs.toFixed(3)} ms of processor time, HTTP included`);
  }
}

const server = await ServerProcess.start();
try {
  const reader = await seed(server);
  report(`an account in ${rooms} rooms of ${members} members`);
  for (const [when, restarted] of [
    ["warm", false],
    ["after a restart", true],
  ] as const) {
    if (restarted) await server.restart();
    const name = (what: string) => `${what}, ${when}`;
    let connections = 0;
    await measure(server.pid, name("sliding sync's first window of 20 rooms"), () =>
      ask(reader, slidingSyncPath, { ...window, conn_id: `bench-${when}-${connections++}` }),
    );
    await measure(server.pid, name("initial v2 sync, lazy members"), () =>
      ask(reader, `/_matrix/client/v3/sync${lazy}`),
    );
  }
  await measureIdle(server, reader);
} finally {
  await server[Symbol.asyncDispose]();
}
