import { setTimeout as delay } from "node:timers/promises";
import BetterSqlite3 from "better-sqlite3";
import t from "tap";
import { migrate } from "../migrations/migrate.ts";
import { Checkpointer } from "./checkpointer.ts";
import { openConnection } from "./connection.ts";
import type { LogState } from "./messages.ts";
import { ReaderPool } from "./reader-pool.ts";

const intervalMs = 1_000;
const commitsPerCheckpoint = 64;

/** How often the writer is asked to begin the log anew when a checkpoint finds it so. */
async function restartsAt(state: LogState): Promise<number> {
  let restarts = 0;
  const writer = { restartLog: async () => void restarts++ };
  const checkpointer = new Checkpointer({ checkpoint: async () => state }, writer, (error) => {
    throw error;
  });
  for (let i = 0; i < commitsPerCheckpoint; i++) checkpointer.committed();
  await delay(intervalMs + 200);
  checkpointer.close();
  return restarts;
}

t.test(
  "a long log begins anew, unless somebody reads an old state: writes would wait for them",
  async (t) => {
    const [short, long, held] = await Promise.all([
      restartsAt({ logPages: 1_000, copiedPages: 1_000 }),
      restartsAt({ logPages: 20_000, copiedPages: 19_990 }),
      restartsAt({ logPages: 20_000, copiedPages: 12_000 }),
    ]);
    t.strictSame({ short, long, held }, { short: 0, long: 1, held: 0 });
  },
);

t.test("a checkpoint tells how much of the log a reader of an old state holds", async (t) => {
  const file = `${t.testdir()}/hearth.db`;
  migrate(file);
  const writer = openConnection(file, { readonly: false, cacheKib: 64 });
  const reader = new BetterSqlite3(file, { readonly: true });
  const pool = new ReaderPool({ file, cacheKib: 64 }, 1, (error) => t.error(error));
  t.teardown(async () => {
    await pool.close();
    reader.close();
    writer.close();
  });
  writer.execute("INSERT INTO event_types (type) VALUES ('before')");
  reader.exec("BEGIN");
  t.equal(reader.prepare("SELECT count(*) FROM event_types").pluck().get(), 1);
  writer.execute("INSERT INTO event_types (type) VALUES ('after')");
  const held = await pool.checkpoint();
  t.ok(held.copiedPages < held.logPages, "what came after the reader stays in the log");
  reader.exec("COMMIT");
  const free = await pool.checkpoint();
  t.equal(free.copiedPages, free.logPages);
});
