import t from "tap";
import { srvOrder } from "./srv-order.ts";

const record = (name: string, priority: number, weight: number) => ({ name, priority, weight, port: 8448 });
const names = (records: readonly { name: string }[]) => records.map(({ name }) => name).join("");

t.test("lower priorities come first, whatever the weights", (t) => {
  t.equal(names(srvOrder([record("c", 30, 100), record("a", 10, 0), record("b", 20, 5)], () => 0.9)), "abc");
  t.equal(names(srvOrder([], () => 0.5)), "");
  t.end();
});

t.test("of one priority the heavier come first more often", (t) => {
  const records = [record("a", 1, 90), record("b", 1, 10)];
  const firsts = { a: 0, b: 0 };
  for (let step = 0; step < 1_000; step++) {
    const [first] = srvOrder(records, () => step / 1_000);
    firsts[first?.name as "a" | "b"] += 1;
  }
  t.ok(firsts.a > 880 && firsts.a < 920, `${firsts.a} of 1000`);
  t.end();
});

t.test("those without weight have a small chance", (t) => {
  const records = [record("a", 1, 5), record("z", 1, 0)];
  t.equal(names(srvOrder(records, () => 0)), "za");
  t.equal(names(srvOrder(records, () => 0.99)), "az");
  t.end();
});
