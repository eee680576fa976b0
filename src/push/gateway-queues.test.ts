import { setImmediate } from "node:timers/promises";
import t from "tap";
import { GatewayQueues } from "./gateway-queues.ts";

/** Work that ends when the test says so. */
function heldWork() {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const queues = new GatewayQueues<string>((item) => {
    begun.push(item);
    return new Promise((resolve) => {
      ends.set(item, resolve);
    });
  });
  const end = async (item: string) => {
    ends.get(item)?.();
    await setImmediate();
  };
  return { begun, end, queues };
}

t.test("a gateway gets a bounded number of requests at once, in order; others go on", async (t) => {
  const { begun, end, queues } = heldWork();
  for (let n = 0; n < 20; n++) queues.add("a", `a${n}`);
  t.equal(begun.length, 16);
  queues.add("b", "b0");
  t.equal(begun.at(-1), "b0");
  await end("a3");
  t.equal(begun.at(-1), "a16");
  await end("b0");
  t.equal(begun.length, 18);
});

t.test("all of them together have a bound, and share what is free", async (t) => {
  const { begun, end, queues } = heldWork();
  for (let gateway = 0; gateway < 32; gateway++) {
    for (let n = 0; n < 17; n++) queues.add(`g${gateway}`, `g${gateway}.${n}`);
  }
  t.equal(begun.length, 512);
  queues.add("late", "late.0");
  queues.add("later", "later.0");
  await end("g0.0");
  await end("g1.0");
  await end("g2.0");
  t.strictSame(
    new Set(begun.slice(512, 515)),
    new Set(["late.0", "later.0", "g0.16"]),
    "whoever has waited longest comes first, and nobody waits for ever",
  );
});

t.test("an item that waits already waits once", async (t) => {
  const { begun, end, queues } = heldWork();
  for (let n = 0; n < 16; n++) queues.add("a", `a${n}`);
  queues.add("a", "again");
  queues.add("a", "again");
  await end("a0");
  await end("a1");
  t.strictSame(begun.slice(16), ["again"]);
});

t.test("closing waits for what has been begun, and begins nothing", async (t) => {
  const { begun, end, queues } = heldWork();
  for (let n = 0; n < 17; n++) queues.add("a", `a${n}`);
  let isClosed = false;
  const close = async () => {
    await queues.close();
    isClosed = true;
  };
  const closing = close();
  for (let n = 0; n < 15; n++) await end(`a${n}`);
  t.equal(isClosed, false);
  await end("a15");
  await closing;
  t.equal(begun.length, 16);
});
