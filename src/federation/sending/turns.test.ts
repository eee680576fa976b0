import { setImmediate } from "node:timers/promises";
import t from "tap";
import { Turns } from "./turns.ts";

t.test("never more work than allowed is under way, though more comes at every moment", async (t) => {
  const turns = new Turns(3);
  let atWork = 0;
  let most = 0;
  const work = async () => {
    atWork += 1;
    most = Math.max(most, atWork);
    await Promise.resolve();
    atWork -= 1;
  };
  const all: Promise<void>[] = [];
  // Some of them come in the very moment in which a place is handed over.
  for (let round = 0; round < 50; round++) {
    all.push(turns.run(work), turns.run(work), turns.run(work));
    await Promise.resolve();
  }
  await Promise.all(all);
  t.equal(most, 3);
  t.equal(atWork, 0);
});

t.test("who comes first is first, and work that fails gives its place back", async (t) => {
  const turns = new Turns(1);
  const order: number[] = [];
  const outcomes = await Promise.allSettled(
    [1, 2, 3].map((number) =>
      turns.run(async () => {
        order.push(number);
        await setImmediate();
        if (number < 3) throw new Error(`${number} fails`);
        return number;
      }),
    ),
  );
  t.strictSame(order, [1, 2, 3]);
  t.match(outcomes, [
    { status: "rejected", reason: { message: "1 fails" } },
    { status: "rejected", reason: { message: "2 fails" } },
    { status: "fulfilled", value: 3 },
  ]);
});
