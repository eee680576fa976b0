import t from "tap";
import { workerScript } from "../../../threads/worker-script.ts";
import { migrate } from "../migrations/migrate.ts";
import { ReaderPool } from "./reader-pool.ts";
import { WorkerLink } from "./worker-link.ts";

/** Nothing that a worker can do anything with: it throws, and ends. */
const nonsense = { calls: null } as never;

t.test("a worker that ends by itself is told as lost, and so is what was asked of it", async (t) => {
  const file = `${t.testdir()}/hearth.db`;
  migrate(file);
  const link = new WorkerLink(workerScript("reader-worker", import.meta), { file, cacheKib: 64 });
  await t.rejects(link.request(nonsense), { message: "a database worker failed" });
  t.match(await link.lost, { message: "a database worker failed" });
  await t.rejects(link.next(), { message: "a database worker failed" });
});

t.test("a worker that was asked to end is not lost", async (t) => {
  const file = `${t.testdir()}/hearth.db`;
  migrate(file);
  const link = new WorkerLink(workerScript("reader-worker", import.meta), { file, cacheKib: 64 });
  await link.close();
  const first = await Promise.race([link.lost, Promise.resolve("still not told")]);
  t.equal(first, "still not told");
});

t.test("another reader takes the place of one that is lost", async (t) => {
  const file = `${t.testdir()}/hearth.db`;
  migrate(file);
  const faults: unknown[] = [];
  const pool = new ReaderPool({ file, cacheKib: 64 }, 1, (error) => faults.push(error));
  await t.rejects(pool.read(null as never), { message: "a database worker failed" });
  t.equal(await pool.read(["registrationTokens", "list", []]).then((rows) => JSON.stringify(rows)), "[]");
  t.equal(faults.length, 1);
  await pool.close();
});
