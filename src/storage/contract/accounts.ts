import type { Test } from "tap";
import type { UserId } from "../../protocol/identifiers.ts";
import type { CreateAccountOutcome, NewAccount } from "../accounts.ts";
import type { Database } from "../database.ts";
import type { NewSession } from "../sessions.ts";

const alice = "@alice:hearth.test" as UserId;

/** A new account with these differences from an ordinary one. */
export function newAccount(userId: string, changes: Partial<NewAccount> = {}): NewAccount {
  return {
    userId: userId as UserId,
    passwordHash: "$hash",
    createdTs: 1_000,
    isAdmin: false,
    isGuest: false,
    userType: null,
    appserviceId: null,
    displayName: null,
    ...changes,
  };
}

/** A session whose tokens hash to 32 times the given byte. */
export function newSession(deviceId: string, token: number, changes: Partial<NewSession> = {}): NewSession {
  return {
    deviceId,
    displayName: null,
    createdTs: 1_000,
    accessTokenHash: tokenHash(token),
    expiresTs: null,
    refreshTokenHash: null,
    ...changes,
  };
}

export function tokenHash(token: number): Buffer {
  return Buffer.alloc(32, token);
}

/** @throws Error when no account was made */
export function createdNid(outcome: CreateAccountOutcome): number {
  if (!outcome.created) throw new Error(`no account: ${outcome.reason}`);
  return outcome.userNid;
}

/** What every back end's account store does. */
export function accountStoreContract(t: Test, open: () => Promise<Database>): void {
  t.test("accounts: a new account has what it was given, and its name is taken", async (t) => {
    await using database = await open();
    const { accounts, names, profiles } = database.stores;
    t.equal(await accounts.find(alice), undefined);
    const given = newAccount(alice, { isAdmin: true, userType: "bot", displayName: "Alice" });
    const userNid = createdNid(await accounts.create(given, {}));
    t.equal(await names.findUser(alice), userNid);
    const found = await accounts.find(alice);
    t.strictSame(found, {
      userNid,
      userId: alice,
      passwordHash: "$hash",
      createdTs: 1_000,
      isAdmin: true,
      isGuest: false,
      isDeactivated: false,
      isErased: false,
      isLocked: false,
      isSuspended: false,
      userType: "bot",
      appserviceId: null,
    });
    t.strictSame(await accounts.findByNid(userNid), found);
    t.strictSame(await profiles.fields(userNid), [{ name: "displayname", value: '"Alice"' }]);
    t.strictSame(await accounts.create(newAccount(alice), {}), { created: false, reason: "in-use" });
    t.strictSame(await accounts.find(alice), found, "the refused one changed nothing");
  });

  t.test("accounts: session and registration token come with the account, or none of them", async (t) => {
    await using database = await open();
    const { accounts, sessions, registrationTokens } = database.stores;
    await registrationTokens.create(
      { token: "one", usesAllowed: 1, uses: 0, expiresTs: null, createdTs: 1 },
      10,
    );
    const first = { registrationToken: "one", session: newSession("A", 1) };
    t.equal((await accounts.create(newAccount(alice), first)).created, true);
    t.equal((await sessions.findByAccessToken(tokenHash(1)))?.userId, alice);
    const second = { registrationToken: "one", session: newSession("B", 2) };
    const outcome = await accounts.create(newAccount("@bob:hearth.test"), second);
    t.strictSame(outcome, { created: false, reason: "token-spent" });
    t.equal(await accounts.find("@bob:hearth.test" as UserId), undefined);
    t.equal(await sessions.findByAccessToken(tokenHash(2)), undefined);
    t.equal((await registrationTokens.find("one"))?.uses, 1);
  });

  t.test("accounts: a guest becomes a user once", async (t) => {
    await using database = await open();
    const { accounts, sessions } = database.stores;
    const guest = newAccount(alice, { isGuest: true, passwordHash: null });
    const userNid = createdNid(await accounts.create(guest, { session: newSession("G", 1) }));
    const upgraded = await accounts.upgradeGuest(userNid, "$new", { session: newSession("U", 2) }, 2_000);
    t.strictSame(upgraded, { created: true, userNid });
    const { isGuest, passwordHash } = (await accounts.findByNid(userNid)) ?? {};
    t.strictSame({ isGuest, passwordHash }, { isGuest: false, passwordHash: "$new" });
    t.equal((await sessions.findByAccessToken(tokenHash(1)))?.isGuest, false, "the guest's device stays");
    t.equal((await sessions.findByAccessToken(tokenHash(2)))?.deviceId, "U");
    const again = await accounts.upgradeGuest(userNid, "$other", {}, 3_000);
    t.strictSame(again, { created: false, reason: "in-use" });
    t.equal((await accounts.findByNid(userNid))?.passwordHash, "$new");
  });

  t.test("accounts: changes are those that are given", async (t) => {
    await using database = await open();
    const { accounts, sessions } = database.stores;
    const userNid = createdNid(await accounts.create(newAccount(alice), { session: newSession("A", 1) }));
    await accounts.update(userNid, { isLocked: true, userType: "support" });
    await accounts.update(userNid, { isSuspended: true, isAdmin: true });
    t.match(await accounts.findByNid(userNid), {
      isAdmin: true,
      isLocked: true,
      isSuspended: true,
      userType: "support",
    });
    t.match(await sessions.findByAccessToken(tokenHash(1)), {
      isAdmin: true,
      isLocked: true,
      isSuspended: true,
      isGuest: false,
    });
    await accounts.update(userNid, { isLocked: false });
    t.match(await accounts.findByNid(userNid), { isLocked: false, isSuspended: true, userType: "support" });
  });

  t.test("accounts: a new password ends all sessions but one, and login tokens", async (t) => {
    await using database = await open();
    const { accounts, sessions } = database.stores;
    const userNid = createdNid(await accounts.create(newAccount(alice), { session: newSession("A", 1) }));
    await sessions.start(userNid, newSession("B", 2));
    await sessions.addLoginToken(userNid, tokenHash(3), 9_000, 1_000);
    await accounts.changePassword(userNid, "$new", "A");
    t.equal((await accounts.findByNid(userNid))?.passwordHash, "$new");
    t.equal((await sessions.findByAccessToken(tokenHash(1)))?.deviceId, "A");
    t.equal(await sessions.findByAccessToken(tokenHash(2)), undefined);
    t.equal(await sessions.takeLoginToken(tokenHash(3), 1_001), undefined);
  });

  t.test("accounts: a hash is renewed unless the password is another one by then", async (t) => {
    await using database = await open();
    const { accounts } = database.stores;
    const userNid = createdNid(await accounts.create(newAccount(alice), {}));
    const hash = async () => (await accounts.findByNid(userNid))?.passwordHash;
    await accounts.renewPasswordHash(userNid, "$hash", "$renewed");
    t.equal(await hash(), "$renewed");
    await accounts.setPasswordHash(userNid, "$changed");
    await accounts.renewPasswordHash(userNid, "$renewed", "$of the old password");
    t.equal(await hash(), "$changed");
  });

  t.test("accounts: deactivation takes all away but the name, and notes the departure", async (t) => {
    await using database = await open();
    const { accounts, sessions, devices } = database.stores;
    const session = newSession("A", 1, { refreshTokenHash: tokenHash(2), expiresTs: 5_000 });
    const userNid = createdNid(await accounts.create(newAccount(alice, { isAdmin: true }), { session }));
    await sessions.addLoginToken(userNid, tokenHash(3), 9_000, 1_000);
    await accounts.deactivate(userNid, true);
    t.equal(await sessions.start(userNid, newSession("C", 3)), false, "nobody logs in any more");
    t.equal(await sessions.findByAccessToken(tokenHash(3)), undefined);
    t.match(await accounts.find(alice), {
      isDeactivated: true,
      isErased: true,
      isAdmin: false,
      passwordHash: null,
    });
    t.equal(await sessions.findByAccessToken(tokenHash(1)), undefined);
    t.equal(await sessions.refresh(tokenHash(2), newSession("A", 4)), "unknown");
    t.equal(await sessions.takeLoginToken(tokenHash(3), 1_001), undefined);
    t.strictSame(await devices.list(userNid), []);
    t.equal((await accounts.create(newAccount(alice), {})).created, false);
    t.strictSame(await accounts.listDepartures(), [{ userNid, userId: alice }]);
    t.match(await accounts.erasures(), [{ userNid }]);
    await accounts.departed(userNid);
    t.strictSame(await accounts.listDepartures(), []);
    await accounts.reactivate(userNid, "$again");
    t.match(await accounts.find(alice), { isDeactivated: false, isErased: false, passwordHash: "$again" });
    t.strictSame(await accounts.erasures(), []);
  });
}
