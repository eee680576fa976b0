import t from "tap";
import { createLogTo } from "../telemetry/log.ts";
import { ManualClock } from "../telemetry/testing/manual-clock.ts";
import { DelayedWrites } from "./delayed-writes.ts";

function setUp() {
  const clock = new ManualClock();
  const written: number[][] = [];
  const lines: string[] = [];
  const state = { fails: false };
  const writes = new DelayedWrites<number>({
    async write(items) {
      if (state.fails) throw new Error("busy");
      written.push([...items]);
    },
    delayMs: 1_000,
    maxWaiting: 3,
    clock,
    log: createLogTo({ write: (line) => lines.push(line) }, "warn"),
    failure: "not stored",
  });
  return { clock, written, lines, state, writes };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

t.test("what waits is written together after a while, the last of each key", async (t) => {
  const { clock, written, writes } = setUp();
  writes.add("a", 1);
  clock.advance(600);
  writes.add("b", 2);
  writes.add("a", 3);
  t.equal(writes.waiting("a"), 3);
  t.same(written, []);
  clock.advance(400);
  t.same(written, [[3, 2]]);
  t.equal(writes.waiting("a"), undefined);
  clock.advance(5_000);
  t.equal(written.length, 1, "nothing is left to be written");
  writes.add("a", 4);
  clock.advance(1_000);
  t.same(written.at(-1), [4]);
});

t.test("very many are written early, and the rest at the end", async (t) => {
  const { clock, written, writes } = setUp();
  for (const [index, key] of ["a", "b", "c", "d"].entries()) writes.add(key, index);
  t.same(written, [[0, 1, 2]]);
  await writes[Symbol.asyncDispose]();
  t.same(written, [[0, 1, 2], [3]]);
  clock.advance(5_000);
  t.equal(written.length, 2);
});

t.test("a failure is logged, and the next ones are written again", async (t) => {
  const { clock, written, lines, state, writes } = setUp();
  state.fails = true;
  writes.add("a", 1);
  clock.advance(1_000);
  await turn();
  t.match(lines, [/"count":1.*"msg":"not stored"/]);
  state.fails = false;
  writes.add("b", 2);
  clock.advance(1_000);
  t.same(written, [[2]]);
});
