import fc from "fast-check";
import t from "tap";
import type { SnapshotRow } from "../storage/state.ts";
import { decodeNids, encodeDelta, encodeNids } from "./delta.ts";
import { PackedDelta } from "./packed-delta.ts";
import { ancestorHeight, type StateMap, StateSnapshots } from "./state-snapshots.ts";

function memoryStore() {
  const rows = new Map<number, SnapshotRow>();
  return { rows, snapshot: (nid: number) => Promise.resolve(rows.get(nid)) };
}

function counter() {
  let last = 0;
  return () => ++last;
}

t.test("deltas and lists of IDs survive their encoding, beyond 2^31 too", async (t) => {
  const delta = new Map([
    [5, 2 ** 40],
    [1, undefined],
    [300, 0],
  ]);
  const packed = PackedDelta.decode(encodeDelta(delta));
  t.same(
    [...packed.entries()],
    [...delta].sort(([a], [b]) => a - b),
  );
  t.same(
    [1, 2, 5, 300, 301].map((pair) => packed.entry(pair)),
    [{ event: undefined }, undefined, { event: 2 ** 40 }, { event: 0 }, undefined],
  );
  t.same([...packed.above(0)], [[5, 2 ** 40]]);
  t.same(decodeNids(encodeNids([2 ** 45, 7, 8])), [7, 8, 2 ** 45]);
});

t.test("the ancestor of a height is the height with its lowest non-zero digit lowered", async (t) => {
  t.same([1, 15, 16, 17, 32, 256, 272].map(ancestorHeight), [0, 14, 0, 16, 16, 0, 256]);
});

t.test(
  "any line of changes reads back as it was, also from storage alone, and differences are exact",
  async () => {
    const change = fc.tuple(
      fc.integer({ min: 0, max: 30 }),
      fc.option(fc.integer({ min: 0, max: 1000 }), { nil: undefined }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 60 }), async (changes) => {
        const store = memoryStore();
        const nextNid = counter();
        const snapshots = new StateSnapshots(store, nextNid);
        const root = snapshots.first(new Map([[1, 1]]));
        const line: { nid: number; state: StateMap }[] = [
          { nid: root.snapshotNid, state: new Map([[1, 1]]) },
        ];
        store.rows.set(root.snapshotNid, root);
        for (const [pair, event] of changes) {
          const last = line.at(-1);
          if (!last) throw new Error("a line has a first snapshot");
          const row = await snapshots.derive(last.nid, new Map([[pair, event]]));
          store.rows.set(row.snapshotNid, row);
          const state = new Map(last.state);
          if (event === undefined) state.delete(pair);
          else state.set(pair, event);
          line.push({ nid: row.snapshotNid, state });
        }
        const fresh = new StateSnapshots(store, nextNid);
        for (const { nid, state } of line) assertEqualMaps(await fresh.map(nid), state);
        const [first, last] = [line[Math.floor(line.length / 3)], line.at(-1)];
        if (!first || !last) return;
        const patched = new Map(first.state);
        for (const [pair, event] of await new StateSnapshots(store, nextNid).difference(
          first.nid,
          last.nid,
        )) {
          if (event === undefined) patched.delete(pair);
          else patched.set(pair, event);
        }
        assertEqualMaps(patched, last.state);
      }),
      { numRuns: 60 },
    );
  },
);

t.test("a hundred thousand changes take less than 60 bytes each, and few steps to read", async (t) => {
  const store = memoryStore();
  const snapshots = new StateSnapshots(store, counter());
  let row = snapshots.first(new Map());
  let sizeBytes = 0;
  for (let pair = 1; pair <= 100_000; pair++) {
    store.rows.set(row.snapshotNid, row);
    snapshots.settled([row], true);
    row = await snapshots.derive(row.snapshotNid, new Map([[pair, pair * 3]]));
    sizeBytes += row.delta.length;
  }
  t.ok(sizeBytes / 100_000 < 45, `${sizeBytes / 100_000} bytes a change`);
  let steps = 0;
  for (let nid = row.parentNid; nid !== null; nid = store.rows.get(nid)?.parentNid ?? null) steps++;
  t.ok(steps <= 75, `${steps} steps`);
});

function assertEqualMaps(actual: StateMap, expected: StateMap): void {
  const sorted = (map: StateMap) => JSON.stringify([...map].sort(([a], [b]) => a - b));
  if (sorted(actual) !== sorted(expected)) throw new Error(`${sorted(actual)} is not ${sorted(expected)}`);
}
