import { createHash } from "node:crypto";
import type { Test } from "tap";
import type { Database } from "../database.ts";
import { createdNid, newAccount } from "./accounts.ts";

function tokenHash(token: number): Buffer {
  return createHash("sha256").update(String(token)).digest();
}

/** What every back end's store of OpenID tokens does. */
export function openIdTokenStoreContract(t: Test, open: () => Promise<Database>): void {
  t.test("OpenID tokens: they expire, and the oldest go when there are too many", async (t) => {
    await using database = await open();
    const { accounts, openIdTokens } = database.stores;
    const alice = createdNid(await accounts.create(newAccount("@alice:hearth.test"), {}));
    await openIdTokens.add(alice, tokenHash(1), 100, 0);
    t.equal(await openIdTokens.ownerOf(tokenHash(1), 99), "@alice:hearth.test");
    t.equal(await openIdTokens.ownerOf(tokenHash(1), 100), undefined);
    t.equal(await openIdTokens.ownerOf(tokenHash(2), 0), undefined);
    for (let count = 1; count <= 100; count += 1) {
      await openIdTokens.add(alice, tokenHash(1_000 + count), 1_000 + count, 0);
    }
    t.equal(await openIdTokens.ownerOf(tokenHash(1), 0), undefined, "the oldest");
    t.equal(await openIdTokens.ownerOf(tokenHash(1_001), 0), "@alice:hearth.test");
  });

  t.test("OpenID tokens: good for nothing once the account is locked or gone", async (t) => {
    await using database = await open();
    const { accounts, openIdTokens } = database.stores;
    const alice = createdNid(await accounts.create(newAccount("@alice:hearth.test"), {}));
    await openIdTokens.add(alice, tokenHash(1), 100, 0);
    await accounts.update(alice, { isLocked: true });
    t.equal(await openIdTokens.ownerOf(tokenHash(1), 0), undefined);
    await accounts.update(alice, { isLocked: false });
    t.equal(await openIdTokens.ownerOf(tokenHash(1), 0), "@alice:hearth.test");
    await accounts.deactivate(alice, false);
    await accounts.reactivate(alice, null);
    t.equal(await openIdTokens.ownerOf(tokenHash(1), 0), undefined);
  });
}
