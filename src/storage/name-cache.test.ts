import t from "tap";
import { NameCache } from "./name-cache.ts";
import type { ManyNames, NameStore, NumberedPair } from "./names.ts";

/** Keeps pairs, and tells how often it was asked to. */
function pairStore(highest: number) {
  const stored = new Map<string, NumberedPair>();
  const writes: ManyNames[] = [];
  const store: Pick<NameStore, "findStatePair" | "highestPairNid" | "internAll"> = {
    findStatePair: (type, stateKey) => Promise.resolve(stored.get(`${type} ${stateKey}`)?.pairNid),
    highestPairNid: () => Promise.resolve(highest),
    internAll: (names) => {
      writes.push(names);
      for (const pair of names.pairs) stored.set(`${pair.type} ${pair.stateKey}`, pair);
      return Promise.resolve([]);
    },
  };
  return { writes, names: new NameCache(store as NameStore, () => true) };
}

const topic = { type: "m.room.topic", stateKey: "" };
const roomName = { type: "m.room.name", stateKey: "" };

t.test("a pair has its integer ID before it is stored, the same for all who ask", async (t) => {
  const { writes, names } = pairStore(7);
  t.equal(await names.findStatePair("m.room.topic", ""), undefined);
  const nids = await Promise.all([
    names.numberStatePair("m.room.topic", ""),
    names.numberStatePair("m.room.name", ""),
    names.numberStatePair("m.room.topic", ""),
  ]);
  t.same(nids, [8, 9, 8], "counting on from the highest in storage");
  t.equal(await names.findStatePair("m.room.topic", ""), 8);
  t.same(names.unstoredPairs([topic, roomName]), [
    { ...topic, pairNid: 8 },
    { ...roomName, pairNid: 9 },
  ]);
  t.same(writes, [], "they go with what refers to them");
  names.pairsStored([{ ...topic, pairNid: 8 }]);
  t.same(names.unstoredPairs([topic, roomName]), [{ ...roomName, pairNid: 9 }]);
  t.equal(await names.findStatePair("m.room.topic", ""), 8);
});

t.test("a pair that waits for a commit is stored for whoever needs it stored", async (t) => {
  const { writes, names } = pairStore(0);
  t.equal(await names.numberStatePair("m.room.topic", ""), 1);
  t.equal(await names.internStatePair("m.room.topic", ""), 1);
  t.same(writes, [{ users: [], pairs: [{ ...topic, pairNid: 1 }] }]);
  t.same(names.unstoredPairs([topic]), []);
  await names.numberStatePair("m.room.name", "");
  await names.internAll([], [roomName, topic, roomName]);
  t.same(writes[1], { users: [], pairs: [{ ...roomName, pairNid: 2 }] });
  t.equal(await names.internStatePair("m.room.name", ""), 2);
  t.equal(writes.length, 2);
});
