import type { Test } from "tap";
import type { Database } from "../database.ts";

/** What every back end's profile store does. */
export function profileStoreContract(t: Test, open: () => Promise<Database>): void {
  t.test("profiles: fields are set, changed and removed one by one", async (t) => {
    await using database = await open();
    const { profiles } = database.stores;
    const displayname = { name: "displayname", value: '"Alice"' };
    t.strictSame(await profiles.fields(1), []);
    t.equal(await profiles.put(1, { name: "m.tz", value: '"Europe/Paris"' }, 1000), "changed");
    t.equal(await profiles.put(1, displayname, 1000), "changed");
    t.equal(await profiles.put(1, displayname, 1000), "unchanged");
    t.strictSame(await profiles.fields(1), [displayname, { name: "m.tz", value: '"Europe/Paris"' }]);
    t.equal(await profiles.remove(1, "displayname"), true);
    t.equal(await profiles.remove(1, "displayname"), false);
    t.equal((await profiles.fields(1)).length, 1);
  });

  t.test("profiles: the bound counts the bytes of the whole JSON object", async (t) => {
    await using database = await open();
    const { profiles } = database.stores;
    const bytes = Buffer.byteLength('{"a":"é","b":1}');
    t.equal(await profiles.put(1, { name: "a", value: '"é"' }, bytes), "changed");
    t.equal(await profiles.put(1, { name: "b", value: "12" }, bytes), "too-large");
    t.equal(await profiles.put(1, { name: "b", value: "1" }, bytes), "changed");
    t.equal(
      await profiles.put(1, { name: "b", value: "2" }, bytes),
      "changed",
      "it takes the place of the former",
    );
  });
}
