import { setImmediate } from "node:timers/promises";
import t from "tap";
import { KeyedLock } from "./keyed-lock.ts";

t.test("work on one key is done in turn, on another meanwhile", async (t) => {
  const lock = new KeyedLock();
  const log: string[] = [];
  const work = (key: string, name: string) =>
    lock.run(key, async () => {
      log.push(`${name} starts`);
      await setImmediate();
      log.push(`${name} ends`);
      return name;
    });
  t.strictSame(await Promise.all([work("a", "a1"), work("a", "a2"), work("b", "b1")]), ["a1", "a2", "b1"]);
  t.ok(log.indexOf("a1 ends") < log.indexOf("a2 starts"), "the same key waits");
  t.ok(log.indexOf("b1 starts") < log.indexOf("a1 ends"), "another key does not");
});

t.test("a failure is the caller's own, and the next goes on", async (t) => {
  const lock = new KeyedLock();
  const failing = lock.run("a", () => Promise.reject(new Error("broken")));
  const next = lock.run("a", () => Promise.resolve("fine"));
  await t.rejects(failing, { message: "broken" });
  t.equal(await next, "fine");
});
