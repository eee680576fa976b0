import { cp } from "node:fs/promises";
import BetterSqlite3 from "better-sqlite3";
import { login, registerUser } from "../../../spec-tests/support/client.ts";
import { createRoom, say } from "../../../spec-tests/support/rooms.ts";
import type { ServerProcess } from "../../../spec-tests/support/server-process.ts";
import { addMessages, type SeededRoom } from "../message-corpus.ts";
import { processorMs, report } from "../report.ts";
import { databaseOf, type FilledServers, filledServer } from "./filled-server.ts";
import { compare, median } from "./turns.ts";

const rooms = 200;
const sends = 300;
const starts = 5;
/** The smaller database is this large, or a fifth of the other where that is less. */
const fewEvents = 1_000_000;
/** Building the index of the search is not what is measured. */
const withoutSearch = { search: { enabled: false } };

/** Compares sends with a database of a million messages and with a larger one, and then starts with both. */
export async function benchDatabase(events: number, servers: FilledServers): Promise<void> {
  const count = Math.min(fewEvents, Math.floor(events / 5));
  await using small = await filledServer(servers, `events-${count}`, withoutSearch, async (server) => {
    await server.start();
    await seedRooms(server);
    await server.end("SIGTERM");
    addMessages(databaseOf(server), seededRooms(server), count);
  });
  await using large = await filledServer(servers, `events-${events}`, withoutSearch, async (server) => {
    await cp(small.dataFolder, server.dataFolder, { recursive: true });
    addMessages(databaseOf(server), seededRooms(server), events - count);
  });
  if (servers.onlyFill) return;
  await Promise.all([small.start(), large.start()]);
  const roomIds = seededRooms(small).map(({ roomId }) => roomId);
  const sending = async (server: ServerProcess, size: number) => {
    const sender = await login(server, "sender");
    let sent = 0;
    return {
      name: `a send with ${size} events in the database`,
      pid: server.pid,
      operate: () => say(sender, roomIds[sent++ % rooms] ?? "", "one more"),
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

async function seedRooms(server: ServerProcess): Promise<void> {
  const owner = await registerUser(server, "sender");
  for (let index = 0; index < rooms; index++) await say(owner, await createRoom(owner), "seed");
}

/** The rooms with their first messages. */
function seededRooms(server: ServerProcess): SeededRoom[] {
  const db = new BetterSqlite3(databaseOf(server), { readonly: true });
  const seeds = db
    .prepare<[], SeededRoom>(
      `SELECT room_id AS roomId, (SELECT event_id FROM events WHERE events.room_nid = rooms.room_nid AND pair_nid IS NULL
         AND position IS NOT NULL ORDER BY position LIMIT 1) AS eventId FROM rooms`,
    )
    .all();
  db.close();
  return seeds;
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
