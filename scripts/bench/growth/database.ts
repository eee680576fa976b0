import { cp } from "node:fs/promises";
import { join as joinPath } from "node:path";
import { login, registerUser, type TestClient } from "../../../spec-tests/support/client.ts";
import { createRoom, say } from "../../../spec-tests/support/rooms.ts";
import type { ServerProcess } from "../../../spec-tests/support/server-process.ts";
import { addMessages, type SeededRoom } from "../message-corpus.ts";
import { processorMs, report } from "../report.ts";
import { prepareServer, startServer } from "../server.ts";
import { compare, median } from "./turns.ts";

const rooms = 200;
const sends = 300;
const starts = 5;
/** The smaller database is this large, or a fifth of the other where that is less. */
const fewEvents = 1_000_000;
/** Building the index of the search is not what is measured. */
const withoutSearch = { search: { enabled: false } };

/** Compares sends with a database of a million messages and with a larger one, and then starts with both. */
export async function benchDatabase(events: number): Promise<void> {
  const count = Math.min(fewEvents, Math.floor(events / 5));
  await using small = await startServer(withoutSearch);
  await using large = await prepareServer(withoutSearch);
  const seeds = await seedRooms(await registerUser(small, "sender"));
  await small.end("SIGTERM");
  addMessages(databaseOf(small), seeds, count);
  await cp(small.dataFolder, large.dataFolder, { recursive: true });
  addMessages(databaseOf(large), seeds, events - count);
  await Promise.all([small.start(), large.start()]);
  const sending = async (server: ServerProcess, size: number) => {
    const sender = await login(server, "sender");
    let sent = 0;
    return {
      name: `a send with ${size} events in the database`,
      pid: server.pid,
      operate: () => say(sender, seeds[sent++ % rooms]?.roomId ?? "", "one more"),
    };
  };
  await compare(await sending(small, count), await sending(large, events), sends);
  await Promise.all([small.end("SIGTERM"), large.end("SIGTERM")]);
  await compareStarts(
    new Map([
      [small, count],
      [large, events],
    ]),
  );
}

async function seedRooms(owner: TestClient): Promise<SeededRoom[]> {
  const seeds: SeededRoom[] = [];
  for (let index = 0; index < rooms; index++) {
    const roomId = await createRoom(owner);
    seeds.push({ roomId, eventId: await say(owner, roomId, "seed") });
  }
  return seeds;
}

function databaseOf({ dataFolder }: ServerProcess): string {
  return joinPath(dataFolder, "hearth.db");
}

async function compareStarts(servers: ReadonlyMap<ServerProcess, number>): Promise<void> {
  const startsOf = new Map(
    [...servers.keys()].map((server) => [server, [] as { ms: number; cpuMs: number }[]]),
  );
  for (let turn = 0; turn < starts; turn++) {
    for (const [server, taken] of startsOf) {
      const startMs = performance.now();
      await server.start();
      taken.push({ ms: performance.now() - startMs, cpuMs: processorMs(server.pid) });
      await server.end("SIGTERM");
    }
  }
  for (const [server, taken] of startsOf) {
    const ms = median(taken.map((start) => start.ms)).toFixed(0);
    const cpuMs = median(taken.map((start) => start.cpuMs)).toFixed(0);
    report(`a start with ${servers.get(server)} events: ready after ${ms} ms, ${cpuMs} ms of processor time`);
  }
}
