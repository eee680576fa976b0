import { setImmediate } from "node:timers/promises";
import t from "tap";
import { MatrixError } from "../protocol/matrix-error.ts";
import { systemClock } from "../telemetry/clock.ts";
import { Turns } from "./turns.ts";

function job() {
  const { promise, resolve } = Promise.withResolvers<string>();
  let started = false;
  const run = () => {
    started = true;
    return promise;
  };
  return { run, resolve, hasStarted: () => started };
}

const isBusy = (error: unknown) => error instanceof MatrixError && error.errcode === "M_LIMIT_EXCEEDED";

t.test("only so many are at work, and only so many wait", async (t) => {
  const turns = new Turns({ maxAtWork: 1, maxWaiting: 1, maxWaitMs: 60_000 }, systemClock);
  const [first, second] = [job(), job()];
  const results = [turns.run(first.run), turns.run(second.run)];
  t.ok(first.hasStarted());
  t.notOk(second.hasStarted());
  t.ok(await turns.run(() => Promise.resolve()).catch(isBusy), "the third is refused");
  first.resolve("first");
  t.equal(await results[0], "first");
  second.resolve("second");
  t.equal(await results[1], "second");
  t.equal(await turns.run(() => Promise.resolve("later")), "later");
});

t.test("nobody waits for ever, and who gave up takes no turn", async (t) => {
  const turns = new Turns({ maxAtWork: 1, maxWaiting: 5, maxWaitMs: 1 }, systemClock);
  const first = job();
  const running = turns.run(first.run);
  const second = job();
  t.ok(await turns.run(second.run).catch(isBusy));
  first.resolve("first");
  await running;
  t.notOk(second.hasStarted());
  t.equal(await turns.run(() => Promise.resolve("later")), "later");
});

t.test("a failure frees its place", async (t) => {
  const turns = new Turns({ maxAtWork: 1, maxWaiting: 1, maxWaitMs: 60_000 }, systemClock);
  await t.rejects(
    turns.run(() => Promise.reject(new Error("broken"))),
    { message: "broken" },
  );
  t.equal(await turns.run(() => Promise.resolve("fine")), "fine");
});

t.test("never more work than allowed is under way, though more comes at every moment", async (t) => {
  const turns = new Turns({ maxAtWork: 3 }, systemClock);
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
  const turns = new Turns({ maxAtWork: 1 }, systemClock);
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

t.test("whoever is refused is told why, and when to come again", async (t) => {
  const limits = { maxAtWork: 1, maxWaiting: 0, refusal: "Too many cooks" };
  const turns = new Turns(limits, systemClock);
  const first = job();
  const running = turns.run(first.run);
  await t.rejects(
    turns.run(() => Promise.resolve()),
    { errcode: "M_LIMIT_EXCEEDED", message: "Too many cooks", details: { retry_after_ms: 5_000 } },
  );
  first.resolve("first");
  t.equal(await running, "first");
});
