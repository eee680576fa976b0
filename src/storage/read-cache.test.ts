import t from "tap";
import { ReadCache } from "./read-cache.ts";

t.test("a value is read once, until it is forgotten", async (t) => {
  let reads = 0;
  const cache = new ReadCache(10, async (key: string) => `${key}${++reads}`);
  t.equal(await cache.get("a"), "a1");
  t.equal(await cache.get("a"), "a1");
  cache.forget("a");
  t.equal(await cache.get("a"), "a2");
});

t.test("what was being read when it was written is not kept", async (t) => {
  let stored = "old";
  const started = Promise.withResolvers<void>();
  const cache = new ReadCache(10, async () => {
    const value = stored;
    await started.promise;
    return value;
  });
  const reading = cache.get("a");
  stored = "new";
  cache.forget("a");
  started.resolve();
  t.equal(await reading, "old");
  t.equal(await cache.get("a"), "new");
});

t.test("a failure is not kept", async (t) => {
  let fails = true;
  const cache = new ReadCache(10, async () => {
    if (fails) throw new Error("unreadable");
    return "read";
  });
  await t.rejects(cache.get("a"), { message: "unreadable" });
  fails = false;
  t.equal(await cache.get("a"), "read");
});

t.test("the least recently used goes first", async (t) => {
  const read: string[] = [];
  const cache = new ReadCache(2, async (key: string) => read.push(key));
  for (const key of ["a", "b", "a", "c", "a", "b"]) await cache.get(key);
  t.strictSame(read, ["a", "b", "c", "b"]);
});
