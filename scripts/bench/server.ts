import { join } from "node:path";
import { type ProcessOptions, ServerProcess } from "../../spec-tests/support/server-process.ts";

type Overrides = Readonly<Record<string, unknown>>;

/** As `npm start` runs it. */
const program = join(import.meta.dirname, "../start.mjs");

/** A server of its own, that does not run yet. */
export function prepareServer(
  overrides: Overrides = {},
  options: ProcessOptions = {},
): Promise<ServerProcess> {
  return ServerProcess.prepare(overrides, { ...options, mainFile: program });
}

export async function startServer(overrides?: Overrides, options?: ProcessOptions): Promise<ServerProcess> {
  const server = await prepareServer(overrides, options);
  await server.start();
  return server;
}
