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
