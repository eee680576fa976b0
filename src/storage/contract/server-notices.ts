import type { Test } from "tap";
import type { Database } from "../database.ts";
import { newAccount } from "./accounts.ts";

/** What every back end's store of notice rooms does. */
export function serverNoticeStoreContract(t: Test, open: () => Promise<Database>): void {
  t.test("server notices: one room for each user, which goes with the account", async (t) => {
    await using database = await open();
    const { serverNotices: store, accounts } = database.stores;
    const outcome = await accounts.create(newAccount("@alice:hearth.test"), {});
    const userNid = outcome.created ? outcome.userNid : 0;
    t.equal(await store.roomOf(userNid), undefined);
    t.equal(await store.isNoticeRoom(11), false);
    await store.setRoom(userNid, 11);
    t.equal(await store.roomOf(userNid), 11);
    t.equal(await store.isNoticeRoom(11), true);
    await store.setRoom(userNid, 12);
    t.equal(await store.roomOf(userNid), 12);
    t.equal(await store.isNoticeRoom(11), false);
    await accounts.deactivate(userNid, false);
    t.equal(await store.roomOf(userNid), undefined);
    t.equal(await store.isNoticeRoom(12), false);
  });
}
