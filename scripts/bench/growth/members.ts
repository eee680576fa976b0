import { join as joinPath } from "node:path";
import BetterSqlite3 from "better-sqlite3";
import { registerUser } from "../../../spec-tests/support/client.ts";
import { createRoom, say } from "../../../spec-tests/support/rooms.ts";
import type { ServerProcess } from "../../../spec-tests/support/server-process.ts";
import { report } from "../report.ts";
import { Crowd } from "./crowd.ts";
import { startServer } from "../server.ts";
import { compare } from "./turns.ts";

const fewMembers = 10;
const sends = 300;

/**
 * Compares a send to a room of ten members with one to a room of very many, all of this server, and tells what the state
 * of the large room takes once all have joined and left it.
 */
export async function benchMembers(members: number): Promise<void> {
  await using server = await startServer();
  const sender = await registerUser(server);
  const [small, large] = [await createRoom(sender), await createRoom(sender)];
  await server.end("SIGTERM");
  const userIds = await (async () => {
    await using crowd = await Crowd.open(server);
    const everybody = await crowd.register(members - 1);
    await crowd.join(small, everybody.slice(0, fewMembers - 1));
    await crowd.join(large, everybody);
    return everybody;
  })();
  await server.start();
  const inRoom = (roomId: string, count: number) => ({
    name: `a send to a room of ${count} members`,
    pid: server.pid,
    operate: () => say(sender, roomId, "to everybody"),
  });
  await compare(inRoom(small, fewMembers), inRoom(large, members), sends);
  await server.end("SIGTERM");
  {
    await using crowd = await Crowd.open(server);
    await crowd.leave(large, userIds);
  }
  tellStateSize(server, 2 * members);
}

/** The room is all that there is, but for the small one and a few memberships. */
function tellStateSize({ dataFolder }: ServerProcess, changes: number): void {
  const db = new BetterSqlite3(joinPath(dataFolder, "hearth.db"), { readonly: true });
  const bytes = db.prepare<[string], number>("SELECT sum(pgsize) FROM dbstat WHERE name = ?").pluck();
  const each = (table: string) => ((bytes.get(table) ?? 0) / changes).toFixed(1);
  report(
    `${changes} membership changes: ${each("state_snapshots")} bytes of state snapshots a change, ` +
      `${each("event_auth")} of the graph of auth events`,
  );
  db.close();
}
