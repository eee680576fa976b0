import t from "tap";
import { Readiness, type ReadinessParts } from "./readiness.ts";
import { ManualClock } from "./testing/manual-clock.ts";

function scene(parts: Partial<ReadinessParts> = {}) {
  const clock = new ManualClock();
  const all = { write: async () => undefined, waitingWrites: () => 0, isStopping: () => false, clock };
  return { clock, readiness: new Readiness({ ...all, ...parts }) };
}

t.test("a server that writes is ready", async (t) => {
  const { readiness, clock } = scene();
  t.equal(await readiness.obstacle(), undefined);
  t.equal(clock.waitingTimers, 0);
});

t.test("what keeps it from that is told", async (t) => {
  t.equal(await scene({ isStopping: () => true }).readiness.obstacle(), "stopping");
  t.equal(await scene({ waitingWrites: () => 10_000 }).readiness.obstacle(), "too many writes are waiting");
  const failing = { write: () => Promise.reject(new Error("disk I/O error")) };
  t.equal(await scene(failing).readiness.obstacle(), "the database cannot be written");
});

t.test("a write that takes too long is one, and however many ask, there is one write", async (t) => {
  let writes = 0;
  const write = () => {
    writes += 1;
    return new Promise<void>(() => undefined);
  };
  const { readiness, clock } = scene({ write });
  const asked = [readiness.obstacle(), readiness.obstacle(), readiness.obstacle()];
  clock.advance(5_000);
  t.strictSame(new Set(await Promise.all(asked)), new Set(["the database is too slow"]));
  t.equal(writes, 1);
});
