import type { Test } from "tap";
import type { Database } from "../database.ts";
import type { UserQuery } from "../user-lists.ts";
import { createdNid, newAccount } from "./accounts.ts";

const everybody: UserQuery = {
  name: null,
  userId: null,
  isGuest: null,
  isAdmin: null,
  isDeactivated: null,
  isLocked: null,
  withoutTypes: [],
  orderBy: "name",
  isDescending: false,
  offset: 0,
  limit: 10,
};

/** What every back end's lists of users do. */
export function userListStoreContract(t: Test, open: () => Promise<Database>): void {
  async function people(): Promise<Database> {
    const database = await open();
    const { accounts, names, devices } = database.stores;
    const make = async (name: string, changes: Parameters<typeof newAccount>[1] = {}) =>
      createdNid(await accounts.create(newAccount(`@${name}:hearth.test`, changes), {}));
    await make("alice", { isAdmin: true, displayName: "Zoë Alison", createdTs: 3 });
    const bob = await make("bob", { userType: "bot", displayName: "Robert", createdTs: 2 });
    const carol = await make("carol", { isGuest: true, createdTs: 1 });
    const dora = await make("dora", { createdTs: 4 });
    await accounts.update(carol, { isLocked: true });
    await accounts.deactivate(dora, true);
    await devices.create(bob, { deviceId: "A", displayName: null, createdTs: 1 });
    await devices.saw([{ userNid: bob, deviceId: "A", ts: 77, ip: "::1", userAgent: "test" }]);
    await names.internUser("@zora:elsewhere.test", false);
    return database;
  }

  t.test("user lists: filtered, ordered and in pages, users of other servers not among them", async (t) => {
    await using database = await people();
    const listed = async (query: Partial<UserQuery>) => {
      const { users, total } = await database.stores.userLists.page({ ...everybody, ...query });
      return [users.map(({ userId }) => userId.slice(1, userId.indexOf(":"))).join(" "), total];
    };
    const cases: readonly [Partial<UserQuery>, string][] = [
      [{}, "alice bob carol dora"],
      [{ isDescending: true }, "dora carol bob alice"],
      [{ name: "ROB" }, "bob"],
      [{ name: "zoë" }, "alice"],
      [{ name: "li" }, "alice"],
      [{ name: "test" }, ""],
      [{ name: "%" }, ""],
      [{ userId: "O" }, "bob carol dora"],
      [{ isGuest: false }, "alice bob dora"],
      [{ isAdmin: true }, "alice"],
      [{ isAdmin: false, isDeactivated: false }, "bob carol"],
      [{ isDeactivated: true }, "dora"],
      [{ isLocked: false }, "alice bob dora"],
      [{ withoutTypes: ["bot"] }, "alice carol dora"],
      [{ withoutTypes: ["", "support"] }, "bob"],
      [{ orderBy: "creation_ts" }, "carol bob alice dora"],
      [{ orderBy: "displayname", isDeactivated: false }, "carol bob alice"],
      [{ orderBy: "admin", isDescending: true }, "alice bob carol dora"],
      [{ orderBy: "last_seen_ts", isDescending: true }, "bob alice carol dora"],
    ];
    for (const [query, expected] of cases) {
      const names = expected === "" ? [] : expected.split(" ");
      t.strictSame(await listed(query), [expected, names.length], JSON.stringify(query));
    }
    t.strictSame(await listed({ offset: 1, limit: 2 }), ["bob carol", 4]);
    t.strictSame(await listed({ offset: 9 }), ["", 4]);
    t.strictSame(await listed({ limit: 0 }), ["", 4]);
  });

  t.test("user lists: what is told of each", async (t) => {
    await using database = await people();
    const { users } = await database.stores.userLists.page(everybody);
    const plain = {
      avatarUrl: null,
      isGuest: false,
      isAdmin: false,
      isDeactivated: false,
      isErased: false,
      isLocked: false,
      userType: null,
      lastSeenTs: null,
    };
    t.strictSame(users, [
      { ...plain, userId: "@alice:hearth.test", displayName: "Zoë Alison", isAdmin: true, createdTs: 3 },
      {
        ...plain,
        userId: "@bob:hearth.test",
        displayName: "Robert",
        userType: "bot",
        createdTs: 2,
        lastSeenTs: 77,
      },
      {
        ...plain,
        userId: "@carol:hearth.test",
        displayName: null,
        isGuest: true,
        isLocked: true,
        createdTs: 1,
      },
      {
        ...plain,
        userId: "@dora:hearth.test",
        displayName: null,
        isDeactivated: true,
        isErased: true,
        createdTs: 4,
      },
    ]);
  });
}
