import { type FSWatcher, mkdirSync, readdirSync, watch } from "node:fs";
import t, { type Test } from "tap";
import { registerUser } from "../support/client.ts";
import { ServerProcess } from "../support/server-process.ts";
import { within } from "../support/within.ts";
import { databaseProblems } from "./database-check.ts";

t.setTimeout(120_000);

const kills = 3;
const phaseTimeoutMs = 60_000;

/** A server whose data folder is there already and empty, so that one can watch what happens in it. */
async function prepare(t: Test): Promise<ServerProcess> {
  const server = await ServerProcess.prepare();
  t.teardown(() => server[Symbol.asyncDispose]());
  mkdirSync(server.dataFolder);
  return server;
}

/** Watches until so many changes have been seen in a folder. */
function changesIn(
  folder: string,
  count: number,
  reached: () => void,
): { watcher: FSWatcher; seen: () => number } {
  let seen = 0;
  const watcher = watch(folder, () => {
    seen += 1;
    if (seen === count) reached();
  });
  return { watcher, seen: () => seen };
}

t.test("kill -9 while the server makes its database: the next start makes it whole", async (t) => {
  const whole = await prepare(t);
  const { watcher, seen } = changesIn(whole.dataFolder, Number.POSITIVE_INFINITY, () => undefined);
  await whole.start();
  watcher.close();
  t.ok(seen() > kills, `${seen()} changes were seen in the data folder`);
  for (let kill = 0; kill < kills; kill++) {
    // From the first change on.
    await killedAt(t, 1 + Math.floor((kill * seen()) / kills));
  }
});

/** Kills a server's first start when so many changes have been seen in its data folder, and starts it again. */
async function killedAt(t: Test, count: number): Promise<void> {
  const server = await prepare(t);
  const moment = Promise.withResolvers<void>();
  const { watcher } = changesIn(server.dataFolder, count, moment.resolve);
  server.spawn();
  const { ended } = server;
  await within(
    phaseTimeoutMs,
    `change ${count} in the data folder`,
    Promise.race([moment.promise, server.ready]),
  );
  watcher.close();
  await server.end("SIGKILL");
  t.strictSame(await ended, { code: null, signal: "SIGKILL" });
  const left = readdirSync(server.dataFolder).toSorted();
  await server.start();
  const alice = await registerUser(server, "alice");
  const { status } = await alice.post("/_matrix/client/v3/createRoom", {}, "createRoom");
  t.equal(status, 200, `killed at change ${count}, which left ${left.join(", ")}`);
  t.strictSame(await server.end("SIGTERM"), { code: 0, signal: null });
  t.strictSame(server.complaints, []);
  t.strictSame(databaseProblems(server.dataFolder), []);
}
