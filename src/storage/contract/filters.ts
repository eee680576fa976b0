import type { Test } from "tap";
import type { Database } from "../database.ts";

/** What every back end's filter store does. */
export function filterStoreContract(t: Test, open: () => Promise<Database>): void {
  t.test("filters: each user has their own, and the oldest go first", async (t) => {
    await using database = await open();
    const { filters } = database.stores;
    await filters.put(1, "a", '{"a":1}', 100, 2);
    await filters.put(1, "b", '{"b":1}', 200, 2);
    await filters.put(2, "a", '{"of":"another"}', 50, 2);
    t.equal(await filters.find(1, "a"), '{"a":1}');
    t.equal(await filters.find(2, "b"), undefined);
    await filters.put(1, "a", '{"a":1}', 300, 2);
    await filters.put(1, "c", "{}", 400, 2);
    t.equal(await filters.find(1, "b"), undefined, "stored longest ago");
    t.equal(await filters.find(1, "a"), '{"a":1}', "stored again since");
    t.equal(await filters.find(2, "a"), '{"of":"another"}');
  });

  t.test("filters: the one that is stored stays, even by a clock that went back", async (t) => {
    await using database = await open();
    const { filters } = database.stores;
    await filters.put(1, "a", "{}", 100, 1);
    await filters.put(1, "b", "{}", 50, 1);
    t.equal(await filters.find(1, "a"), undefined);
    t.equal(await filters.find(1, "b"), "{}");
  });
}
