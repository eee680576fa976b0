import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { configFrom } from "../../src/config/load.ts";
import { createServer } from "../../src/server.ts";
import { createLogTo } from "../../src/telemetry/log.ts";

export interface TestServer extends AsyncDisposable {
  /** Base URL, without a slash at its end. */
  readonly url: string;
  readonly folder: string;
  /**
   * Stops the server, keeping its data, and starts it again on the same port.
   * @param meanwhile what happens while it is down
   * @param changes of the configuration
   */
  restart(meanwhile?: () => Promise<void>, changes?: Record<string, unknown>): Promise<void>;
}

/** Passwords hash quickly and nobody is slowed down, unless a test asks for it. */
export const testDefaults = {
  server_name: "hearth.test",
  registration: { mode: "open", shared_secret: "test secret", guests: true },
  password_hashing: { memory_kib: 64, passes: 1 },
  rate_limits: { enabled: false },
};

/** Starts a real server with a real database in a folder of its own, on a free port of the loopback address. */
export async function startServer(overrides: Record<string, unknown> = {}): Promise<TestServer> {
  const folder = await mkdtemp(join(tmpdir(), "hearth-test-"));
  let port = 0;
  let settings = overrides;
  const start = async () => {
    const listeners = [{ bind: "127.0.0.1", port, apis: ["client", "federation", "admin"] }];
    const config = configFrom({ ...testDefaults, data_dir: folder, listeners, ...settings }, folder);
    const server = await createServer(config, createLogTo(process.stderr, "warn"));
    await server.listen();
    return server;
  };
  let server = await start();
  const url = server.addresses[0]?.url ?? "";
  port = Number(new URL(url).port);
  return {
    url,
    folder,
    async restart(meanwhile, changes) {
      await server[Symbol.asyncDispose]();
      await meanwhile?.();
      if (changes) settings = { ...settings, ...changes };
      server = await start();
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
