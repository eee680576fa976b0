import { existsSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ServerProcess } from "../../../spec-tests/support/server-process.ts";
import { prepareServer } from "../server.ts";

/** What becomes of databases that took long to fill. */
export interface FilledServers {
  /** Where they are kept and found again; absent when they go with their servers. */
  readonly folder: string | undefined;
  /** Whether nothing is to be measured. */
  readonly onlyFill: boolean;
}

/**
 * A server with a filled database, that does not run yet.
 * @param name of the database among those that are kept
 * @param fill called unless the database is there already; leaves the server stopped
 */
export async function filledServer(
  { folder }: FilledServers,
  name: string,
  overrides: Readonly<Record<string, unknown>>,
  fill: (server: ServerProcess) => Promise<void>,
): Promise<ServerProcess> {
  if (folder === undefined) {
    const server = await prepareServer(overrides);
    await fill(server);
    return server;
  }
  const dataFolder = join(folder, name);
  const filledFile = `${dataFolder}.filled`;
  const server = await prepareServer({ ...overrides, data_dir: dataFolder });
  if (existsSync(filledFile)) return server;
  await rm(dataFolder, { recursive: true, force: true });
  await fill(server);
  await writeFile(filledFile, "");
  return server;
}

/** The file of a server's database. */
export function databaseOf({ dataFolder }: ServerProcess): string {
  return join(dataFolder, "hearth.db");
}
