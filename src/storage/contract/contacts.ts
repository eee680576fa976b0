import type { Test } from "tap";
import type { UserId } from "../../protocol/identifiers.ts";
import type { Contact } from "../contacts.ts";
import type { Database } from "../database.ts";
import { newAccount } from "./accounts.ts";

const alice = "@alice:hearth.test" as UserId;
const bob = "@bob:hearth.test" as UserId;

function email(address: string, ts = 1_000): Contact {
  return { medium: "email", address, validatedTs: ts, addedTs: ts };
}

async function made(database: Database, userId: UserId, contacts: readonly Contact[] = []): Promise<number> {
  const outcome = await database.stores.accounts.create(newAccount(userId), { contacts });
  if (!outcome.created) throw new Error(outcome.reason);
  return outcome.userNid;
}

/** What every back end's store of contacts does. */
export function contactStoreContract(t: Test, open: () => Promise<Database>): void {
  t.test("contacts: an address belongs to one user", async (t) => {
    await using database = await open();
    const { contacts } = database.stores;
    const [aliceNid, bobNid] = [await made(database, alice), await made(database, bob)];
    const shared = email("family@example.org");
    t.equal(await contacts.ownerOf(shared), undefined);
    t.equal(await contacts.add(aliceNid, shared), "added");
    t.equal(await contacts.add(bobNid, shared), "in-use");
    t.equal(await contacts.ownerOf(shared), aliceNid);
    t.equal(await contacts.ownerOf({ medium: "msisdn", address: shared.address }), undefined);
    t.equal(await contacts.remove(bobNid, shared), false);
    t.equal(await contacts.remove(aliceNid, shared), true);
    t.equal(await contacts.add(bobNid, shared), "added");
  });

  t.test("contacts: listed as they were added; validated again, but not twice there", async (t) => {
    await using database = await open();
    const { contacts } = database.stores;
    const nid = await made(database, alice);
    const phone: Contact = { medium: "msisdn", address: "491711234567", validatedTs: 5, addedTs: 6 };
    await contacts.add(nid, email("b@example.org", 20));
    await contacts.add(nid, phone);
    t.strictSame(await contacts.list(nid), [phone, email("b@example.org", 20)]);
    await contacts.add(nid, { ...phone, validatedTs: 30, addedTs: 30 });
    t.strictSame(await contacts.list(nid), [{ ...phone, validatedTs: 30 }, email("b@example.org", 20)]);
  });

  t.test("contacts: replaced all together; those that stay keep their times", async (t) => {
    await using database = await open();
    const { contacts } = database.stores;
    const [aliceNid, bobNid] = [await made(database, alice), await made(database, bob)];
    await contacts.add(bobNid, email("bob@example.org"));
    for (const name of ["old", "kept"]) await contacts.add(aliceNid, email(`${name}@example.org`, 5));
    const taken = [email("new@example.org"), email("bob@example.org")];
    t.equal(await contacts.replace(aliceNid, taken), "in-use");
    t.equal((await contacts.list(aliceNid)).length, 2);
    const wanted = [email("kept@example.org", 9), email("new@example.org", 9), email("new@example.org", 9)];
    t.equal(await contacts.replace(aliceNid, wanted), "replaced");
    t.strictSame(await contacts.list(aliceNid), [email("kept@example.org", 5), email("new@example.org", 9)]);
    const many = Array.from({ length: 51 }, (_, n) => email(`${n}@example.org`));
    t.equal(await contacts.replace(aliceNid, many), "too-many");
    t.equal(await contacts.replace(aliceNid, []), "replaced");
    t.strictSame(await contacts.list(aliceNid), []);
  });

  t.test("contacts: a bounded number of them, and of bindings", async (t) => {
    await using database = await open();
    const { contacts } = database.stores;
    const nid = await made(database, alice);
    for (let n = 0; n < 50; n++) await contacts.add(nid, email(`${n}@example.org`));
    t.equal(await contacts.add(nid, email("50@example.org")), "too-many");
    t.equal(await contacts.add(nid, email("49@example.org")), "added");
    const binding = (n: number) => ({ ...address(n), identityServer: "id.example.org" });
    const address = (n: number) => ({ medium: "email" as const, address: `${n}@example.org` });
    for (let n = 0; n < 100; n++) t.equal(await contacts.addBinding(nid, binding(n)), true);
    t.equal(await contacts.addBinding(nid, binding(100)), false);
    await contacts.removeBinding(nid, binding(0));
    t.equal((await contacts.bindings(nid)).length, 99);
    t.match((await contacts.bindings(nid)).at(-1), binding(9));
  });

  t.test("contacts: they come and go with the account", async (t) => {
    await using database = await open();
    const { accounts, contacts } = database.stores;
    const address = email("alice@example.org");
    const nid = await made(database, alice, [address]);
    await contacts.addBinding(nid, { medium: "email", address: "a@b", identityServer: "id.test" });
    t.equal(await contacts.ownerOf(address), nid);
    const refused = await accounts.create(newAccount(bob), { contacts: [address] });
    t.strictSame(refused, { created: false, reason: "contact-in-use" });
    t.equal(await accounts.find(bob), undefined);
    await accounts.deactivate(nid, false);
    t.equal(await contacts.ownerOf(address), undefined);
    t.strictSame(await contacts.bindings(nid), []);
  });

  t.test("accounts: the policies that a user accepted", async (t) => {
    await using database = await open();
    const { accounts } = database.stores;
    const acceptedPolicies = [
      { id: "privacy", version: "1.2" },
      { id: "terms", version: "3" },
    ];
    const outcome = await accounts.create(newAccount(alice), { acceptedPolicies });
    t.ok(outcome.created);
    if (outcome.created) t.strictSame(await accounts.acceptedPolicies(outcome.userNid), acceptedPolicies);
  });
}
