import type { Test } from "tap";
import type { Database } from "../database.ts";
import { commitEvents, roomNid } from "./room-fixture.ts";

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

  t.test("profiles: users hear of changes in those of their neighbours, removals included", async (t) => {
    await using database = await open();
    const { names, profiles } = database.stores;
    const [alice, bob, carol] = [
      await names.internUser("@alice:hearth.test", true),
      await names.internUser("@bob:hearth.test", true),
      await names.internUser("@carol:hearth.test", true),
    ];
    const memberships = [alice, bob].map((userNid, index) => {
      return { userNid, isLocal: true, membership: "join" as const, eventNid: index + 1 };
    });
    await commitEvents(database, [{ eventNid: 1 }, { eventNid: 2 }], { memberships });
    for (const userNid of [alice, bob, carol]) {
      await profiles.put(userNid, { name: "a", value: "1" }, 1000);
      await profiles.put(userNid, { name: "b", value: "null" }, 1000);
    }
    await profiles.remove(bob, "a");
    const everything = { since: 0, upTo: Number.MAX_SAFE_INTEGER };
    const changed = async (wanted: string[] | null, limit = 10) =>
      (await profiles.changedBetween(alice, everything, wanted, limit)).map(
        ({ userId, name, value }) => `${userId.slice(1, 2)} ${name} ${value}`,
      );
    t.strictSame(await changed(null), ["b a null", "b b null", "a b null", "a a 1"]);
    t.strictSame(await changed(["a"]), ["b a null", "a a 1"]);
    t.strictSame(await changed(null, 1), ["b a null"], "the latest first");
    const members = async (rooms: number[], since: number, users: number[]) =>
      (await profiles.ofMembers(rooms, since, users, ["a"], 10)).map(({ userId }) => userId.slice(1, 2));
    t.strictSame(await members([roomNid], 0, []), ["a"], "what has been removed is no part of a profile");
    t.strictSame((await members([roomNid], 0, [carol])).toSorted(), ["a", "c"]);
    t.strictSame(await members([roomNid], Number.MAX_SAFE_INTEGER, []), []);
    t.strictSame(await members([], 0, []), []);
  });

  t.test("profiles: so many removed fields are remembered, and no more", async (t) => {
    await using database = await open();
    const { names, profiles } = database.stores;
    const alice = await names.internUser("@alice:hearth.test", true);
    for (let count = 0; count < 60; count += 1) {
      await profiles.put(alice, { name: `a${count}`, value: "1" }, 1000);
      await profiles.remove(alice, `a${count}`);
    }
    const span = { since: 0, upTo: Number.MAX_SAFE_INTEGER };
    const changed = await profiles.changedBetween(alice, span, null, 100);
    t.strictSame([changed.length, changed[0]?.name, changed.at(-1)?.name], [50, "a59", "a10"]);
    t.strictSame(await profiles.fields(alice), []);
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
