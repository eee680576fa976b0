import type { Test } from "tap";
import type { Database } from "../database.ts";
import type { PendingInvite } from "../third-party-invites.ts";
import { newAccount } from "./accounts.ts";

const contact = { medium: "email", address: "bob@example.org" } as const;
const message = { ...contact, kind: "room-invitation", language: "en", values: {}, expiresTs: 1e15 } as const;
const monthMs = 31 * 24 * 60 * 60 * 1000;

function newInvite(token: string, changes: Partial<PendingInvite> = {}): PendingInvite {
  return {
    ...contact,
    token,
    publicKey: `key ${token}`,
    roomNid: 1,
    inviterNid: 7,
    createdTs: 1_000,
    ...changes,
  };
}

/** What every back end's store of invitations by e-mail does. */
export function thirdPartyInviteStoreContract(t: Test, open: () => Promise<Database>): void {
  t.test("third-party invites: redeemable when the address is in an account", async (t) => {
    await using database = await open();
    const { thirdPartyInvites: store, accounts, contacts, deliveries } = database.stores;
    t.equal(await store.add(newInvite("a"), message, 1_000), true);
    t.equal(await store.add(newInvite("b", { address: "eve@example.org" }), message, 1_000), true);
    t.equal((await deliveries.due(1_000, 10)).length, 2);
    t.equal(await store.hasKey("key a"), true);
    t.equal(await store.hasKey("key c"), false);
    t.strictSame(await store.redeemable(), []);
    const outcome = await accounts.create(newAccount("@bob:hearth.test"), {});
    const userNid = outcome.created ? outcome.userNid : 0;
    await contacts.add(userNid, { ...contact, validatedTs: 1, addedTs: 1 });
    t.strictSame(await store.redeemable(), [{ ...newInvite("a"), userNid }]);
    await store.remove("a");
    t.strictSame(await store.redeemable(), []);
    t.equal(await store.hasKey("key a"), false);
  });

  t.test("third-party invites: a bound for each inviter, and an end", async (t) => {
    await using database = await open();
    const { thirdPartyInvites: store, deliveries } = database.stores;
    const add = (n: number, inviterNid: number, nowTs: number) =>
      store.add(newInvite(`${n}`, { inviterNid, createdTs: nowTs }), message, nowTs);
    await Promise.all(Array.from({ length: 500 }, (_, n) => add(n, 7, 1_000)));
    t.equal(await add(500, 7, 1_000), false);
    t.equal((await deliveries.due(1_000, 1_000)).length, 500, "no letter without an invitation");
    t.equal(await add(501, 8, 1_000), true);
    t.equal(await add(502, 7, 3 * monthMs), true, "old ones are gone");
    t.equal(await store.hasKey("key 0"), false);
  });
}
