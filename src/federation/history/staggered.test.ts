import { setImmediate as nextTurn } from "node:timers/promises";
import t from "tap";
import type { ServerName } from "../../protocol/identifiers.ts";
import { ManualClock } from "../../telemetry/testing/manual-clock.ts";
import { staggered } from "./staggered.ts";

const [a, b, c] = ["a.test", "b.test", "c.test"] as [ServerName, ServerName, ServerName];

/** Servers that answer when a test says so. */
function scene(servers: readonly ServerName[]) {
  const clock = new ManualClock();
  const asked: ServerName[] = [];
  const broken: ServerName[] = [];
  const answers = new Map<ServerName, PromiseWithResolvers<string>>();
  const slow: ServerName[] = [];
  const staggering = { clock, tooSlow: (server: ServerName) => void slow.push(server) };
  const reading = staggered(servers, staggering, (server, signal) => {
    asked.push(server);
    signal.addEventListener("abort", () => broken.push(server));
    const answer = Promise.withResolvers<string>();
    answers.set(server, answer);
    return answer.promise;
  });
  return {
    clock,
    asked,
    broken,
    slow,
    reading,
    answer: (server: ServerName) => answers.get(server)?.resolve(server),
  };
}

t.test("the next server is asked when the last has answered", async (t) => {
  const { asked, reading, answer } = scene([a, b]);
  const first = reading.next();
  t.same(asked, [a]);
  answer(a);
  t.same(await first, { done: false, value: a });
  t.same(asked, [a], "and not before somebody wants to hear more");
  const second = reading.next();
  await nextTurn();
  t.same(asked, [a, b]);
  answer(b);
  t.same(await second, { done: false, value: b });
  t.equal((await reading.next()).done, true);
});

t.test(
  "a slow server does not keep the next one from being asked, and its answer still counts",
  async (t) => {
    const { clock, asked, reading, answer } = scene([a, b, c]);
    const first = reading.next();
    clock.advance(1_499);
    await nextTurn();
    t.same(asked, [a]);
    clock.advance(1);
    await nextTurn();
    t.same(asked, [a, b]);
    answer(b);
    t.same(await first, { done: false, value: b });
    const second = reading.next();
    answer(a);
    t.same(await second, { done: false, value: a });
    t.same(asked, [a, b]);
  },
);

t.test("whoever is content breaks off the rest", async (t) => {
  const { clock, asked, broken, slow, reading, answer } = scene([a, b, c]);
  const first = reading.next();
  clock.advance(1_500);
  await nextTurn();
  clock.advance(1_500);
  await nextTurn();
  answer(b);
  await first;
  await reading.return(undefined);
  t.same(asked, [a, b, c]);
  t.same(broken, [a, b, c]);
  t.same(slow, [a], "and not the one that was asked last");
  t.equal(clock.waitingTimers, 0);
});

t.test("what fails beyond the expected is thrown, and nothing else is left unhandled", async (t) => {
  const clock = new ManualClock();
  const fault = new Error("a fault of ours");
  const reading = staggered([a, b], { clock, tooSlow: () => undefined }, async () => {
    await nextTurn();
    throw fault;
  });
  const first = reading.next();
  clock.advance(2_000);
  await t.rejects(first, fault);
});

t.test("where nobody can be asked there is nothing to hear", async (t) => {
  t.equal((await scene([]).reading.next()).done, true);
});
