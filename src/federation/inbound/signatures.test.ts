import { once } from "node:events";
import type { Worker } from "node:worker_threads";
import t from "tap";
import { SigningKey, VerifyKey } from "../../protocol/ed25519.ts";
import { systemClock } from "../../telemetry/clock.ts";
import { Pace } from "../../telemetry/pace.ts";
import { ManualClock } from "../../telemetry/testing/manual-clock.ts";
import { Signatures } from "./signatures.ts";

const keys = Array.from({ length: 3 }, (_, index) => {
  const signing = new SigningKey(`ed25519:${index}`, Buffer.alloc(32, index + 1));
  return { signing, verify: new VerifyKey(signing.keyId, signing.publicKey) };
});

/** A signed message; every fifth signature is by another key. */
function signed(index: number) {
  const key = keys[index % keys.length];
  const other = keys[(index + 1) % keys.length];
  if (!key || !other) throw new Error("there are keys");
  const isRight = index % 5 !== 0;
  // Texts of all lengths, none at all among them.
  const message = Buffer.from("message ".repeat(index % 40));
  return { isRight, message, key: key.verify, signature: (isRight ? key : other).signing.sign(message) };
}

/** Not even a key: the worker that gets it ends. */
const poison = { publicKey: "no key" } as VerifyKey;

for (const count of [1, 4, 5, 600]) {
  t.test(`each of ${count} signatures has its own verdict`, async (t) => {
    await using signatures = new Signatures(systemClock, new Pace(systemClock));
    const all = Array.from({ length: count }, (_, index) => signed(index));
    const verdicts = await Promise.all(
      all.map(({ key, message, signature }) => signatures.verify(key, message, signature)),
    );
    t.same(
      verdicts,
      all.map(({ isRight }) => isRight),
    );
  });
}

t.test("what is asked for at different times is answered in any order, and right", async (t) => {
  await using signatures = new Signatures(systemClock, new Pace(systemClock));
  const rounds = Array.from({ length: 8 }, async (_, round) => {
    for (let turn = 0; turn < round; turn++) await new Promise((resolve) => setImmediate(resolve));
    const all = Array.from({ length: 20 + round * 30 }, (__, index) => signed(index + round));
    const verdicts = await Promise.all(
      all.map(({ key, message, signature }) => signatures.verify(key, message, signature)),
    );
    return verdicts.every((verdict, index) => verdict === all[index]?.isRight);
  });
  t.same(
    await Promise.all(rounds),
    Array.from({ length: 8 }, () => true),
  );
});

t.test("who waits for a worker that fails is told, and the next ones have another", async (t) => {
  await using signatures = new Signatures(systemClock, new Pace(systemClock));
  const { key, message, signature } = signed(1);
  const failing = Array.from({ length: 10 }, () => signatures.verify(poison, message, signature));
  const outcomes = await Promise.allSettled(failing);
  t.same(new Set(outcomes.map(({ status }) => status)), new Set(["rejected"]));
  const next = Array.from({ length: 300 }, () => signatures.verify(key, message, signature));
  t.ok((await Promise.all(next)).every(Boolean));
});

t.test("nobody waits for workers that have been ended", async (t) => {
  const signatures = new Signatures(systemClock, new Pace(systemClock));
  const { key, message, signature } = signed(1);
  const waiting = Promise.allSettled(
    Array.from({ length: 2_000 }, () => signatures.verify(key, message, signature)),
  );
  await new Promise((resolve) => setImmediate(resolve));
  await signatures[Symbol.asyncDispose]();
  const statuses = (await waiting).map(({ status }) => status);
  t.equal(statuses.length, 2_000);
  t.ok(statuses.includes("rejected"), "some had not been checked yet");
});

t.test("workers end when they have had nothing to do for half a minute, and start anew", async (t) => {
  const clock = new ManualClock();
  await using signatures = new Signatures(clock, new Pace(clock));
  const { key, message, signature } = signed(1);
  const checkMany = () =>
    Promise.all(Array.from({ length: 10 }, () => signatures.verify(key, message, signature)));
  const started: Worker[] = [];
  const notice = (worker: Worker) => started.push(worker);
  process.on("worker", notice);
  t.teardown(() => process.off("worker", notice));
  t.ok((await checkMany()).every(Boolean));
  const [first] = started;
  if (!first) throw new Error("no worker was started");
  const ended = once(first, "exit");
  clock.advance(20_000);
  t.ok((await checkMany()).every(Boolean));
  clock.advance(20_000);
  t.equal(clock.waitingTimers, 1, "it has been used since");
  clock.advance(10_000);
  await ended;
  t.equal(clock.waitingTimers, 0, "an idle server looks after no workers");
  const before = started.length;
  t.ok((await checkMany()).every(Boolean));
  t.equal(started.length, before + 1);
});
