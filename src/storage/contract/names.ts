import type { Test } from "tap";
import type { Database } from "../database.ts";

/** What every back end does with many names at once. */
export function nameStoreContract(t: Test, open: () => Promise<Database>): void {
  t.test("names: many are interned in one write, those that are known as what they are", async (t) => {
    await using database = await open();
    const { names } = database.stores;
    const known = await names.internUser("@known:a.test", false);
    const knownPair = await names.internStatePair("m.room.member", "@known:a.test");
    const users = ["@new:a.test", "@known:a.test", "@new:a.test", "@other:a.test"];
    const pairs = [
      { type: "m.room.member", stateKey: "@known:a.test" },
      { type: "m.room.name", stateKey: "" },
      { type: "m.room.name", stateKey: "" },
    ];
    const nids = await names.internAll({ users: users.map((userId) => ({ userId, isLocal: false })), pairs });
    const [first, second, third, fourth] = nids.users;
    t.equal(second, known);
    t.equal(third, first, "a name that comes twice is one");
    t.equal(new Set([first, second, fourth]).size, 3);
    t.same(await Promise.all(nids.users.map((nid) => names.userId(nid))), users);
    t.equal(nids.pairs[0], knownPair);
    t.equal(nids.pairs[2], nids.pairs[1]);
    t.same(await Promise.all(nids.pairs.map((nid) => names.statePair(nid))), pairs);
    t.equal(await names.findUser("@new:a.test"), first);
    t.same(await names.internAll({ users: [], pairs: [] }), { users: [], pairs: [] });
  });
}
