import type { Test } from "tap";
import { globalScope } from "../account-data.ts";
import type { Database } from "../database.ts";
import { userWithDevices } from "./device-sessions.ts";

const ample = { maxEntries: 100, maxBytes: 10_000 };
const roomId = "!room:hearth.test";

/** What every back end's account data store does. */
export function accountDataStoreContract(t: Test, open: () => Promise<Database>): void {
  t.test("account data: an entry is read back, and replaced by the next one", async (t) => {
    await using database = await open();
    const { accountData, names } = database.stores;
    const alice = await names.internUser("@alice:hearth.test", true);
    t.equal(await accountData.find(alice, globalScope, "a"), undefined);
    for (const content of ['{"n":1}', '{"n":2}']) {
      t.equal(await accountData.put(alice, { scope: globalScope, type: "a", content }, ample), "stored");
    }
    await accountData.put(alice, { scope: roomId, type: "a", content: '{"room":1}' }, ample);
    t.equal(await accountData.find(alice, globalScope, "a"), '{"n":2}');
    t.equal(await accountData.find(alice, roomId, "a"), '{"room":1}');
    t.equal((await accountData.all(alice)).length, 2);
    t.strictSame(await accountData.all(alice + 1), []);
  });

  t.test("account data: changes between two positions, the oldest first", async (t) => {
    await using database = await open();
    const { accountData, names, pushRules } = database.stores;
    const alice = await names.internUser("@alice:hearth.test", true);
    const put = (scope: string, type: string) =>
      accountData.put(alice, { scope, type, content: "{}" }, ample);
    // Push rules take positions of the same sequence.
    const mark = async () => {
      const before = await pushRules.find(0);
      await pushRules.replace(0, before?.position ?? null, "{}");
      return (await pushRules.find(0))?.position ?? 0;
    };
    await put(globalScope, "before");
    const since = await mark();
    await put(roomId, "first");
    await put(globalScope, "second");
    const upTo = await mark();
    await put(globalScope, "after");
    const types = async (from: number, to: number) =>
      (await accountData.changedBetween(alice, from, to)).map(({ type }) => type);
    t.strictSame(await types(since, upTo), ["first", "second"]);
    await put(roomId, "first");
    t.strictSame(await types(since, upTo), ["second"], "what changes again is left for later");
    t.strictSame(await types(upTo, Number.MAX_SAFE_INTEGER), ["after", "first"]);
  });

  t.test("account data: bounds on entries and bytes hold over all rooms", async (t) => {
    await using database = await open();
    const { accountData, names } = database.stores;
    const alice = await names.internUser("@alice:hearth.test", true);
    const limits = { maxEntries: 2, maxBytes: 21 };
    const put = (scope: string, type: string, content: string) =>
      accountData.put(alice, { scope, type, content }, limits);
    t.equal(await put(globalScope, "a", '{"n":"1"}'), "stored");
    t.equal(await put(roomId, "a", '{"n":"12345678"}'), "too-many-bytes");
    t.equal(await put(roomId, "a", '{"n":1}'), "stored");
    t.equal(await put(roomId, "b", '{"n":1}'), "too-many-entries");
    t.equal(await put(globalScope, "a", '{"n":"123456"}'), "stored", "an entry's former size is free again");
    t.equal(await accountData.find(alice, roomId, "b"), undefined);
    t.equal(await accountData.remove(alice, roomId, "a"), true);
    t.equal(await put(roomId, "b", '{"n":1}'), "stored", "deleted entries make room");
  });

  t.test("account data: what is deleted is told to those who knew it, and to nobody else", async (t) => {
    await using database = await open();
    const { accountData, devices } = database.stores;
    const alice = await userWithDevices(database.stores, "alice", ["A", "B"]);
    await accountData.put(alice, { scope: globalScope, type: "a", content: '{"n":1}' }, ample);
    t.equal(await accountData.remove(alice, globalScope, "a"), true);
    t.equal(await accountData.remove(alice, globalScope, "a"), false);
    t.equal(await accountData.remove(alice, roomId, "a"), false);
    t.equal(await accountData.find(alice, globalScope, "a"), undefined);
    t.strictSame(await accountData.all(alice), []);
    const told = await accountData.changedBetween(alice, 0, Number.MAX_SAFE_INTEGER);
    t.strictSame(told, [{ scope: globalScope, type: "a", content: "{}" }]);
    const type = "org.matrix.msc3890.local_notification_settings.";
    for (const deviceId of ["A", "B"]) {
      await accountData.put(alice, { scope: globalScope, type: type + deviceId, content: '{"n":1}' }, ample);
    }
    await devices.remove(alice, ["B"]);
    t.strictSame(
      (await accountData.all(alice)).map((entry) => entry.type),
      [`${type}A`],
      "a device takes its settings with it",
    );
  });

  t.test("account data: tags are entries of m.tag, whatever they are called", async (t) => {
    await using database = await open();
    const { accountData, names } = database.stores;
    const alice = await names.internUser("@alice:hearth.test", true);
    const tags = async () => JSON.parse((await accountData.find(alice, roomId, "m.tag")) ?? "{}").tags;
    t.equal(await accountData.removeTag(alice, roomId, "u.work"), false);
    t.equal(await accountData.putTag(alice, roomId, "u.work", '{"order":0.5}', ample), "stored");
    t.equal(await accountData.putTag(alice, roomId, "__proto__", "{}", ample), "stored");
    t.strictSame(Object.entries(await tags()), [
      ["u.work", { order: 0.5 }],
      ["__proto__", {}],
    ]);
    t.equal(await accountData.removeTag(alice, roomId, "u.work"), true);
    t.strictSame(Object.keys(await tags()), ["__proto__"]);
    const full = { maxEntries: 100, maxBytes: 30 };
    t.equal(await accountData.putTag(alice, roomId, "u.home", '{"order":0.5}', full), "too-many-bytes");
  });

  t.test(
    "account data, push rules and filters go with a deactivated account, the profile when erased",
    async (t) => {
      await using database = await open();
      const { accountData, accounts, filters, names, profiles, pushRules } = database.stores;
      const alice = await names.internUser("@alice:hearth.test", true);
      await accountData.put(alice, { scope: globalScope, type: "a", content: "{}" }, ample);
      await pushRules.replace(alice, null, "{}");
      await filters.put(alice, "f", "{}", 1, 10);
      await profiles.put(alice, { name: "displayname", value: '"Alice"' }, 1000);
      await accounts.deactivate(alice, false);
      t.strictSame(await accountData.all(alice), []);
      t.equal(await pushRules.find(alice), undefined);
      t.equal(await filters.find(alice, "f"), undefined);
      t.equal((await profiles.fields(alice)).length, 1);
      await accounts.deactivate(alice, true);
      t.strictSame(await profiles.fields(alice), []);
    },
  );
}
