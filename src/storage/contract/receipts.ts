import type { Test } from "tap";
import { globalScope } from "../account-data.ts";
import type { Database } from "../database.ts";
import { maxThreadReceipts, type Receipt, type ReceiptPlace } from "../receipts.ts";

const latest = Number.MAX_SAFE_INTEGER;
const roomId = "!room:hearth.test";

function receipt(eventPosition: number, rest: Partial<Receipt> = {}): Receipt {
  return { kind: "m.read", thread: "", eventId: `$e${eventPosition}`, eventPosition, ts: 1, ...rest };
}

async function readers(database: Database): Promise<{ alice: ReceiptPlace; bob: ReceiptPlace }> {
  const { names } = database.stores;
  const alice = await names.internUser("@alice:hearth.test", true);
  const bob = await names.internUser("@bob:hearth.test", true);
  return { alice: { userNid: alice, roomNid: 1, roomId }, bob: { userNid: bob, roomNid: 1, roomId } };
}

/** What every back end's store of receipts does. */
export function receiptStoreContract(t: Test, open: () => Promise<Database>): void {
  t.test("receipts: one a user, room, kind and thread, and it never moves backwards", async (t) => {
    await using database = await open();
    const { receipts } = database.stores;
    const { alice } = await readers(database);
    t.equal(await receipts.put(alice, [receipt(5)], null), 1);
    t.equal(await receipts.put(alice, [receipt(5), receipt(4)], null), 0);
    t.equal(
      await receipts.put(alice, [receipt(6, { thread: "main" }), receipt(3, { thread: "$r" })], null),
      2,
    );
    t.equal(await receipts.put(alice, [receipt(4, { kind: "m.read.private" }), receipt(7)], null), 2);
    const kept = await receipts.ofUser(alice.userNid, [1]);
    t.strictSame(
      new Set(kept.map(({ kind, thread, eventId }) => `${kind} ${thread} ${eventId}`)),
      new Set(["m.read  $e7", "m.read $r $e3", "m.read main $e6", "m.read.private  $e4"]),
    );
    t.strictSame(await receipts.ofUser(alice.userNid, [2]), []);
  });

  t.test("receipts: private ones are seen by nobody else", async (t) => {
    await using database = await open();
    const { receipts } = database.stores;
    const { alice, bob } = await readers(database);
    await receipts.put(alice, [receipt(1), receipt(2, { kind: "m.read.private" })], null);
    await receipts.put(bob, [receipt(3)], null);
    const ids = (rows: readonly Receipt[]) => rows.map(({ eventId }) => eventId).sort();
    t.strictSame(ids(await receipts.changedBetween(1, bob.userNid, 0, latest)), ["$e1", "$e3"]);
    t.strictSame(ids(await receipts.changedBetween(1, alice.userNid, 0, latest)), ["$e1", "$e2", "$e3"]);
    t.strictSame(ids(await receipts.newest([1], bob.userNid, latest, 10)), ["$e1", "$e3"]);
    t.strictSame(ids(await receipts.newest([1], alice.userNid, latest, 10)), ["$e1", "$e2", "$e3"]);
    t.strictSame(await receipts.roomsReadBetween(bob.userNid, 0, latest), [1]);
  });

  t.test("receipts: changes between two positions; the newest of others, all of one's own", async (t) => {
    await using database = await open();
    const { receipts } = database.stores;
    const { alice, bob } = await readers(database);
    await receipts.put(bob, [receipt(1, { thread: "$a" })], null);
    await receipts.put(bob, [receipt(2, { thread: "$b" })], null);
    const since = (await receipts.changedBetween(1, alice.userNid, 0, latest)).at(-1)?.position ?? 0;
    await receipts.put(bob, [receipt(3, { thread: "$a" })], null);
    await receipts.put(alice, [receipt(1)], null);
    const changed = await receipts.changedBetween(1, alice.userNid, since, latest);
    t.strictSame(
      changed.map(({ eventId }) => eventId),
      ["$e3", "$e1"],
    );
    const [first] = changed;
    t.strictSame(await receipts.changedBetween(1, alice.userNid, since, first?.position ?? 0), [first]);
    const newest = await receipts.newest([1], alice.userNid, latest, 1);
    t.strictSame(
      new Map(newest.map(({ userNid, eventId }) => [userNid, eventId])),
      new Map([
        [alice.userNid, "$e1"],
        [bob.userNid, "$e3"],
      ]),
    );
    t.strictSame(await receipts.roomsReadBetween(alice.userNid, since, latest), [1]);
    t.strictSame(await receipts.roomsReadBetween(alice.userNid, 0, since), []);
  });

  t.test(
    "receipts: a user keeps a bounded number for the threads of a room, the furthest ones",
    async (t) => {
      await using database = await open();
      const { receipts } = database.stores;
      const { alice } = await readers(database);
      const many = Array.from({ length: maxThreadReceipts + 2 }, (_, index) =>
        receipt(index + 1, { thread: `$root${index}` }),
      );
      await receipts.put(alice, [receipt(1), ...many], null);
      const kept = await receipts.ofUser(alice.userNid, [1]);
      t.equal(kept.length, maxThreadReceipts + 1);
      t.equal(kept.filter(({ thread }) => thread === "").length, 1);
      t.notOk(kept.some(({ thread }) => thread === "$root0" || thread === "$root1"));
    },
  );

  t.test("receipts: the fully read marker is account data of the room", async (t) => {
    await using database = await open();
    const { accountData, receipts } = database.stores;
    const { alice } = await readers(database);
    const marker = { eventId: "$e2", eventPosition: 2, mayGoBack: false };
    t.equal(await receipts.put(alice, [receipt(1)], marker), 2);
    t.equal(await accountData.find(alice.userNid, roomId, "m.fully_read"), '{"event_id":"$e2"}');
    t.equal(await accountData.find(alice.userNid, globalScope, "m.fully_read"), undefined);
  });

  t.test("receipts: those of users of other servers, together", async (t) => {
    await using database = await open();
    const { receipts, names } = database.stores;
    const { alice } = await readers(database);
    const nids = [
      await names.internUser("@a:peer.test", false),
      await names.internUser("@b:peer.test", false),
    ];
    const remote = (userNid: number, eventPosition: number, thread = "") =>
      ({ ...receipt(eventPosition, { thread }), kind: "m.read", userNid }) as const;
    const [a = 0, b = 0] = nids;
    await receipts.putRemote(1, [remote(a, 5), remote(b, 3), remote(b, 4, "main")]);
    const rows = await receipts.changedBetween(1, alice.userNid, 0, latest);
    t.strictSame(
      new Set(rows.map(({ userNid, eventId, thread }) => `${userNid} ${eventId} ${thread}`)),
      new Set([`${a} $e5 `, `${b} $e3 `, `${b} $e4 main`]),
    );
    t.equal(new Set(rows.map(({ position }) => position)).size, 1, "one position for all");
    await receipts.putRemote(1, [remote(a, 4), remote(b, 6)]);
    const since = rows[0]?.position ?? 0;
    const changed = await receipts.changedBetween(1, alice.userNid, since, latest);
    t.strictSame(
      changed.map(({ eventId }) => eventId),
      ["$e6"],
    );
  });

  t.test("receipts: the rooms in which something has changed, and how far it has been told", async (t) => {
    await using database = await open();
    const { receipts } = database.stores;
    const { alice, bob } = await readers(database);
    t.strictSame(await receipts.roomsChangedAfter(0, 10), []);
    await receipts.put(alice, [receipt(1)], null);
    await receipts.put({ ...alice, roomNid: 7 }, [receipt(1)], null);
    const newest = Math.max(
      ...(await receipts.allChangedBetween(7, 0, latest)).map(({ position }) => position),
    );
    t.strictSame(await receipts.roomsChangedAfter(0, 10), [7, 1]);
    t.strictSame(await receipts.roomsChangedAfter(0, 1), [7]);
    t.strictSame(await receipts.roomsChangedAfter(newest, 10), []);
    await receipts.put({ ...bob, roomNid: 3 }, [receipt(1)], null);
    await receipts.put(bob, [receipt(2)], null);
    t.strictSame(await receipts.roomsChangedAfter(newest, 10), [1, 3]);
    t.equal(await receipts.toldUpTo(), 0);
    await receipts.saveToldUpTo(5);
    await receipts.saveToldUpTo(newest);
    t.equal(await receipts.toldUpTo(), newest);
  });

  t.test("receipts and what was counted go with a deactivated account", async (t) => {
    await using database = await open();
    const { accounts, receipts } = database.stores;
    const { alice } = await readers(database);
    await receipts.put(alice, [receipt(1)], null);
    await accounts.deactivate(alice.userNid, false);
    t.strictSame(await receipts.ofUser(alice.userNid, [1]), []);
  });
}
