import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import t from "tap";
import { PassingMap } from "./passing-map.ts";

t.test("entries come, change and go", async (t) => {
  const map = new PassingMap<string, number>();
  t.equal(map.get("a"), undefined);
  t.equal(map.has("a"), false);
  map.set("a", 1);
  map.set("b", 2);
  map.set("a", 3);
  t.equal(map.get("a"), 3);
  t.equal(map.has("a"), true);
  map.delete("a");
  map.delete("never there");
  t.equal(map.get("a"), undefined);
  t.equal(map.has("a"), false);
  t.equal(map.get("b"), 2);
});

t.test("what has gone is not kept until the whole heap is collected", async (t) => {
  setFlagsFromString("--expose-gc");
  const collectGarbage = runInNewContext("gc") as (options: { type: "minor" }) => void;
  const map = new PassingMap<number, readonly number[]>();
  map.set(-1, []);
  // What the map has lived with for a while is old.
  for (let round = 0; round < 4; round++) collectGarbage({ type: "minor" });
  const before = oldBytes();
  for (let key = 0; key < 5_000; key++) {
    map.set(
      key,
      Array.from({ length: 500 }, () => key),
    );
    map.delete(key - 16);
    if (key % 200 === 0) collectGarbage({ type: "minor" });
  }
  // All that went through it was 20 MB.
  t.ok(oldBytes() - before < 3_000_000, `${oldBytes() - before} bytes`);
});

/** What is collected with the whole heap only. */
function oldBytes(): number {
  return getHeapSpaceStatistics().find((space) => space.space_name === "old_space")?.space_used_size ?? 0;
}
