import type { Test } from "tap";
import type { Database } from "../database.ts";

const latest = Number.MAX_SAFE_INTEGER;
const thread = { roomNid: 1, rootId: "$root" };

/** What every back end's store of thread subscriptions does. */
export function threadSubscriptionStoreContract(t: Test, open: () => Promise<Database>): void {
  t.test(
    "thread subscriptions: what the user does counts more than what a client does of itself",
    async (t) => {
      await using database = await open();
      const store = database.stores.threadSubscriptions;
      t.equal(await store.hasAny(1), false);
      t.equal(await store.subscribe(1, thread, 0), true);
      t.match(await store.find(1, thread), { ...thread, isSubscribed: true, isAutomatic: true });
      const [first] = await store.changes(1, 0, latest, 10);
      await store.subscribe(1, thread, latest);
      t.strictSame(await store.changes(1, first?.position ?? 0, latest, 10), [], "it is what it was");
      t.equal(await store.subscribe(1, thread, null), true);
      t.match(await store.find(1, thread), { isSubscribed: true, isAutomatic: false });
      await store.subscribe(1, thread, latest);
      t.match(await store.find(1, thread), { isSubscribed: true, isAutomatic: false });
      t.equal(await store.hasAny(1), true);
      t.equal(await store.hasAny(2), false);
      t.equal(await store.find(2, thread), undefined);
    },
  );

  t.test("thread subscriptions: who has left a thread is not brought back by what came before", async (t) => {
    await using database = await open();
    const store = database.stores.threadSubscriptions;
    await store.unsubscribe(1, thread);
    t.equal(await store.hasAny(1), false, "nothing to leave");
    await store.subscribe(1, thread, null);
    await store.unsubscribe(1, thread);
    const left = await store.find(1, thread);
    t.match(left, { isSubscribed: false });
    t.equal(await store.subscribe(1, thread, left?.position ?? 0), false);
    t.match(await store.find(1, thread), { isSubscribed: false });
    t.equal(await store.subscribe(1, thread, (left?.position ?? 0) + 1), true);
    await store.unsubscribe(1, thread);
    t.equal(await store.subscribe(1, thread, null), true, "the user may do as they like");
  });

  t.test("thread subscriptions: changes come newest first, each thread once", async (t) => {
    await using database = await open();
    const store = database.stores.threadSubscriptions;
    for (const rootId of ["$a", "$b", "$c"]) await store.subscribe(1, { roomNid: 1, rootId }, null);
    await store.unsubscribe(1, { roomNid: 1, rootId: "$a" });
    const changes = await store.changes(1, 0, latest, 10);
    t.strictSame(
      changes.map(({ rootId, isSubscribed }) => `${rootId} ${isSubscribed}`),
      ["$a false", "$c true", "$b true"],
    );
    t.strictSame(await store.changes(1, 0, latest, 1), changes.slice(0, 1));
    t.strictSame(await store.changes(1, changes[2]?.position ?? 0, changes[1]?.position ?? 0, 9), [
      changes[1],
    ]);
  });
}
