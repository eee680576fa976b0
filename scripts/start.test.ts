import { appendFileSync, cpSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { registerUser } from "../spec-tests/support/client.ts";
import { createRoom, say } from "../spec-tests/support/rooms.ts";
import { searchAll } from "../spec-tests/support/search.ts";
import { ServerProcess } from "../spec-tests/support/server-process.ts";

const root = join(import.meta.dirname, "..");
// It packs the server twice, on a busy machine in a minute.
t.setTimeout(180_000);

t.test(
  "a server goes on with what it was started from while another version is started beside it",
  async (t) => {
    const folder = t.testdir();
    for (const name of ["src", "scripts", "package.json", "package-lock.json"]) {
      cpSync(join(root, name), join(folder, name), { recursive: true });
    }
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "dir");
    const started = async () => {
      const server = await ServerProcess.prepare({}, { mainFile: join(folder, "scripts/start.mjs") });
      t.teardown(() => server[Symbol.asyncDispose]());
      await server.start();
      return server;
    };
    const first = await started();
    const alice = await registerUser(first, "alice");
    // Of another version, whose worker threads are of no use to the first.
    appendFileSync(
      join(folder, "src/storage/sqlite/search/search-worker.ts"),
      '\nthrow new Error("another version");\n',
    );
    const second = await started();
    t.equal((await second.end("SIGTERM")).code, 0);
    const roomId = await createRoom(alice, {});
    const message = await say(alice, roomId, "still the same");
    t.same(await searchAll(alice, "same", {}), [message], "a worker thread that is started only now");
    t.same(first.complaints, []);
  },
);
