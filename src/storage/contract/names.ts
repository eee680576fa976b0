import type { Test } from "tap";
import type { Database } from "../database.ts";

/** What every back end does with many names at once. */
export function nameStoreContract(t: Test, open: () => Promise<Database>): void {
  t.test("names: many are interned in one write, those that are known as what they are", async (t) => {
    await using database = await open();
    const { names } = database.stores;
    const known = await names.internUser("@known:a.test", false);
    t.equal(await names.highestPairNid(), 0);
    const member = { pairNid: 3, type: "m.room.member", stateKey: "@known:a.test" };
    t.same(await names.internAll({ users: [], pairs: [member] }), []);
    t.equal(await names.highestPairNid(), 3);
    const users = ["@new:a.test", "@known:a.test", "@new:a.test", "@other:a.test"];
    const roomName = { pairNid: 4, type: "m.room.name", stateKey: "" };
    const pairs = [member, roomName, roomName];
    const nids = await names.internAll({ users: users.map((userId) => ({ userId, isLocal: false })), pairs });
    const [first, second, third, fourth] = nids;
    t.equal(second, known);
    t.equal(third, first, "a name that comes twice is one");
    t.equal(new Set([first, second, fourth]).size, 3);
    t.same(await Promise.all(nids.map((nid) => names.userId(nid))), users);
    t.same(await names.statePair(3), { type: "m.room.member", stateKey: "@known:a.test" });
    t.equal(await names.findStatePair("m.room.name", ""), 4);
    t.equal(await names.findUser("@new:a.test"), first);
    t.same(await names.internAll({ users: [], pairs: [] }), []);
  });

  t.test("names: a pair keeps its integer ID, and an integer ID its pair", async (t) => {
    await using database = await open();
    const { names } = database.stores;
    const topic = { pairNid: 1, type: "m.room.topic", stateKey: "" };
    await names.internAll({ users: [], pairs: [topic] });
    await t.rejects(names.internAll({ users: [], pairs: [{ ...topic, pairNid: 2 }] }), {
      name: "StorageError",
    });
    await t.rejects(names.internAll({ users: [], pairs: [{ ...topic, type: "m.room.name" }] }), {
      name: "StorageError",
    });
    t.equal(await names.findStatePair("m.room.topic", ""), 1);
    t.equal(await names.findStatePair("m.room.name", ""), undefined);
  });
}
