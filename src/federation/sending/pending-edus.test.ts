import t from "tap";
import { ManualClock } from "../../telemetry/testing/manual-clock.ts";
import { PendingEdus } from "./pending-edus.ts";

const edu = (type: string, number: number) => ({ type, content: { number } });
const numbers = (pending: PendingEdus, limit = 2_000) =>
  pending.take(limit).map(({ content }) => content["number"]);

t.test("of several with one key the last is sent, in its place; each once", async (t) => {
  const pending = new PendingEdus(new ManualClock());
  pending.add("a", edu("m.presence", 1));
  pending.add("b", edu("m.presence", 2));
  pending.add("a", edu("m.presence", 3));
  t.strictSame(numbers(pending, 1), [2]);
  t.strictSame(numbers(pending), [3]);
  t.equal(pending.size, 0);
});

t.test("typing that has waited long is not told any more; what has been read is", async (t) => {
  const clock = new ManualClock();
  const pending = new PendingEdus(clock);
  pending.add("a", edu("m.typing", 1));
  pending.add("b", edu("m.receipt", 2));
  clock.advance(20_000);
  pending.add("c", edu("m.typing", 3));
  clock.advance(10_000);
  t.strictSame(numbers(pending), [2, 3]);
});

t.test("when too many wait, the oldest go", async (t) => {
  const pending = new PendingEdus(new ManualClock());
  for (let number = 0; number < 1_010; number++) pending.add(`${number}`, edu("m.receipt", number));
  t.equal(pending.size, 1_000);
  t.strictSame(numbers(pending, 2), [10, 11]);
  pending.clear();
  t.strictSame(numbers(pending), []);
});
