import { join } from "node:path";
import { ServerProcess } from "../../spec-tests/support/server-process.ts";

/** As `npm start` runs it. */
const program = join(import.meta.dirname, "../start.mjs");

/** A server of its own, that does not run yet. */
export function prepareServer(overrides: Readonly<Record<string, unknown>> = {}): Promise<ServerProcess> {
  return ServerProcess.prepare(overrides, { mainFile: program });
}

export async function startServer(overrides: Readonly<Record<string, unknown>> = {}): Promise<ServerProcess> {
  const server = await prepareServer(overrides);
  await server.start();
  return server;
}
