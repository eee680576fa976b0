import BetterSqlite3 from "better-sqlite3";
import { login, registerUser } from "../../../spec-tests/support/client.ts";
import { createRoom, say } from "../../../spec-tests/support/rooms.ts";
import type { ServerProcess } from "../../../spec-tests/support/server-process.ts";
import { report } from "../report.ts";
import { Crowd } from "./crowd.ts";
import { databaseOf, type FilledServers, filledServer } from "./filled-server.ts";
import { compare } from "./turns.ts";

const fewMembers = 10;
const sends = 300;

/**
 * Compares a send to a room of ten members with one to a room of very many, all of this server, and tells what the state
 * of the large room takes: all have joined and left it, and joined it again.
 */
export async function benchMembers(members: number, servers: FilledServers): Promise<void> {
  await using server = await filledServer(servers, `members-${members}`, {}, (empty) => fill(empty, members));
  tellStateSize(server, 3 * members);
  if (servers.onlyFill) return;
  await server.start();
  const sender = await login(server, "sender");
  const [small = "", large = ""] = roomIdsOf(server);
  const inRoom = (roomId: string, count: number) => ({
    name: `a send to a room of ${count} members`,
    pid: server.pid,
    operate: () => say(sender, roomId, "to everybody"),
  });
  await compare(inRoom(small, fewMembers), inRoom(large, members), sends);
}

async function fill(server: ServerProcess, members: number): Promise<void> {
  await server.start();
  const sender = await registerUser(server, "sender");
  const [small, large] = [await createRoom(sender), await createRoom(sender)];
  await server.end("SIGTERM");
  await using crowd = await Crowd.open(server);
  const everybody = await crowd.register(members - 1);
  await crowd.join(small, everybody.slice(0, fewMembers - 1));
  await crowd.join(large, everybody);
  await crowd.leave(large, everybody);
  await crowd.join(large, everybody);
}

/** The small one and the large one. */
function roomIdsOf(server: ServerProcess): string[] {
  const db = new BetterSqlite3(databaseOf(server), { readonly: true });
  const roomIds = db.prepare<[], string>("SELECT room_id FROM rooms ORDER BY joined_members").pluck().all();
  db.close();
  return roomIds;
}

/** The large room is all that there is, but for the small one and a few memberships. */
function tellStateSize(server: ServerProcess, changes: number): void {
  const db = new BetterSqlite3(databaseOf(server), { readonly: true });
  const bytes = db.prepare<[string], number>("SELECT sum(pgsize) FROM dbstat WHERE name = ?").pluck();
  const each = (table: string) => ((bytes.get(table) ?? 0) / changes).toFixed(1);
  report(
    `${changes} membership changes: ${each("state_snapshots")} bytes of state snapshots a change, ` +
      `${each("event_auth")} of the graph of auth events`,
  );
  db.close();
}
