import type { Test } from "tap";
import type { Database } from "../database.ts";
import type { BackedUpKey } from "../key-backups.ts";

const all = { roomId: null, sessionId: null };

function key(roomId: string, sessionId: string, change: Partial<BackedUpKey> = {}): BackedUpKey {
  const fields = { isVerified: false, firstMessageIndex: 5, forwardedCount: 5, ...change };
  return { roomId, sessionId, data: JSON.stringify(fields), ...fields };
}

/** What every back end's store of key backups does. */
export function keyBackupStoreContract(t: Test, open: () => Promise<Database>): void {
  t.test("key backups: versions grow and are never given again", async (t) => {
    await using database = await open();
    const { keyBackups } = database.stores;
    t.equal(await keyBackups.current(1), undefined);
    t.equal(await keyBackups.create(1, "algorithm", '{"a":1}', 2), 1);
    t.equal(await keyBackups.create(1, "algorithm", '{"a":2}', 2), 2);
    t.equal(await keyBackups.create(1, "algorithm", "{}", 2), undefined, "as many as are allowed");
    t.equal(await keyBackups.create(2, "algorithm", "{}", 2), 1);
    const second = { version: 2, algorithm: "algorithm", authData: '{"a":2}', etag: 0, count: 0 };
    t.strictSame(await keyBackups.current(1), second);
    t.equal((await keyBackups.find(1, 1))?.authData, '{"a":1}');
    t.equal(await keyBackups.find(1, 3), undefined);
    t.equal(await keyBackups.delete(1, 2), true);
    t.equal(await keyBackups.delete(1, 2), true, "deleted before");
    t.equal(await keyBackups.delete(1, 3), false, "never there");
    t.equal((await keyBackups.current(1))?.version, 1);
    t.equal(await keyBackups.create(1, "algorithm", "{}", 2), 3);
  });

  t.test("key backups: the data changes, the algorithm does not", async (t) => {
    await using database = await open();
    const { keyBackups } = database.stores;
    await keyBackups.create(1, "algorithm", "{}", 2);
    t.equal(await keyBackups.update(1, 1, "algorithm", '{"new":true}'), "updated");
    t.equal(await keyBackups.update(1, 1, "other", "{}"), "other-algorithm");
    t.equal(await keyBackups.update(1, 2, "algorithm", "{}"), "no-backup");
    t.equal((await keyBackups.current(1))?.authData, '{"new":true}');
  });

  t.test("key backups: keys go into the current backup only, up to the limit", async (t) => {
    await using database = await open();
    const { keyBackups } = database.stores;
    t.strictSame(await keyBackups.putKeys(1, 1, [key("!r", "s")], 3), { stored: false, reason: "no-backup" });
    await keyBackups.create(1, "algorithm", "{}", 5);
    await keyBackups.create(1, "algorithm", "{}", 5);
    t.strictSame(await keyBackups.putKeys(1, 1, [key("!r", "s")], 3), {
      stored: false,
      reason: "wrong-version",
      currentVersion: 2,
    });
    t.strictSame(await keyBackups.putKeys(1, 3, [key("!r", "s")], 3), { stored: false, reason: "no-backup" });
    const keys = [key("!r", "1"), key("!r", "2")];
    t.strictSame(await keyBackups.putKeys(1, 2, keys, 3), { stored: true, etag: 1, count: 2 });
    t.strictSame(await keyBackups.putKeys(1, 2, keys, 3), { stored: true, etag: 1, count: 2 });
    const more = [key("!r", "2"), key("!r", "3"), key("!q", "1")];
    t.strictSame(await keyBackups.putKeys(1, 2, more, 3), { stored: false, reason: "full" });
    t.equal(await keyBackups.findKey(1, 2, "!r", "3"), undefined, "nothing of it is stored");
    t.strictSame(await keyBackups.putKeys(1, 2, more.slice(0, 2), 3), { stored: true, etag: 2, count: 3 });
  });

  t.test("key backups: of two keys for a session the better one stays", async (t) => {
    await using database = await open();
    const { keyBackups } = database.stores;
    await keyBackups.create(1, "algorithm", "{}", 5);
    const stored: BackedUpKey[] = [
      key("!r", "s"),
      key("!r", "s", { forwardedCount: 4 }),
      key("!r", "s", { firstMessageIndex: 4, forwardedCount: 9 }),
      key("!r", "s", { isVerified: true, firstMessageIndex: 9, forwardedCount: 9 }),
    ];
    for (const [index, better] of stored.entries()) {
      t.match(await keyBackups.putKeys(1, 1, [better], 9), { etag: index + 1, count: 1 });
      for (const worse of stored.slice(0, index + 1)) {
        t.match(await keyBackups.putKeys(1, 1, [worse], 9), { etag: index + 1, count: 1 });
      }
      t.equal(await keyBackups.findKey(1, 1, "!r", "s"), better.data);
    }
  });

  t.test("key backups: keys are listed page by page, of all rooms or of one", async (t) => {
    await using database = await open();
    const { keyBackups } = database.stores;
    await keyBackups.create(1, "algorithm", "{}", 5);
    const keys = [key("!a", "1"), key("!a", "2"), key("!b", "1"), key("!b", "3"), key("!c", "1")];
    await keyBackups.putKeys(1, 1, keys.toReversed(), 9);
    const names = async (roomId: string | null, limit: number) => {
      const found: string[] = [];
      let page = await keyBackups.listKeys(1, 1, roomId, null, limit);
      for (let pages = 0; pages < 10; pages += 1) {
        found.push(...page.keys.map((each) => `${each.roomId} ${each.sessionId}`));
        if (!page.next) return found;
        page = await keyBackups.listKeys(1, 1, roomId, page.next, limit);
      }
      return found;
    };
    const everything = ["!a 1", "!a 2", "!b 1", "!b 3", "!c 1"];
    for (const limit of [1, 2, 3, 9]) t.strictSame(await names(null, limit), everything);
    t.strictSame(await names("!b", 1), ["!b 1", "!b 3"]);
    t.strictSame(await names("!d", 9), []);
    t.equal((await keyBackups.listKeys(1, 1, null, null, 1)).keys[0]?.data, keys[0]?.data);
  });

  t.test("key backups: keys are deleted by session, by room and altogether", async (t) => {
    await using database = await open();
    const { keyBackups } = database.stores;
    t.equal(await keyBackups.deleteKeys(1, 1, all, 9), undefined);
    await keyBackups.create(1, "algorithm", "{}", 5);
    const keys = [key("!a", "1"), key("!a", "2"), key("!b", "1"), key("!b", "2"), key("!c", "1")];
    await keyBackups.putKeys(1, 1, keys, 9);
    const session = { roomId: "!a", sessionId: "1" };
    t.strictSame(await keyBackups.deleteKeys(1, 1, session, 9), { etag: 2, count: 4, deleted: 1 });
    t.strictSame(await keyBackups.deleteKeys(1, 1, session, 9), { etag: 2, count: 4, deleted: 0 });
    const room = { roomId: "!b", sessionId: null };
    t.strictSame(await keyBackups.deleteKeys(1, 1, room, 9), { etag: 3, count: 2, deleted: 2 });
    t.strictSame(await keyBackups.deleteKeys(1, 1, all, 1), { etag: 4, count: 1, deleted: 1 });
    t.strictSame(await keyBackups.deleteKeys(1, 1, all, 1), { etag: 5, count: 0, deleted: 1 });
  });

  t.test("key backups: the keys of deleted backups are purged, those of others stay", async (t) => {
    await using database = await open();
    const { keyBackups } = database.stores;
    for (const version of [1, 2, 3]) {
      await keyBackups.create(1, "algorithm", "{}", 5);
      await keyBackups.putKeys(1, version, [key("!r", "1"), key("!r", "2")], 9);
    }
    await keyBackups.delete(1, 2);
    t.equal(await keyBackups.purge(1, 1), 1);
    t.equal(await keyBackups.purge(1, 9), 1);
    t.equal(await keyBackups.purge(1, 9), 0);
    t.equal((await keyBackups.listKeys(1, 2, null, null, 9)).keys.length, 0);
    t.equal((await keyBackups.listKeys(1, 1, null, null, 9)).keys.length, 2);
    t.equal((await keyBackups.listKeys(1, 3, null, null, 9)).keys.length, 2);
  });
}
