import type { Test } from "tap";
import type { Database } from "../database.ts";
import type { OAuthRecord } from "../oauth.ts";
import { createdNid, newAccount, newSession, tokenHash } from "./accounts.ts";

/** What every back end's store of external IDs does. */
export function externalIdStoreContract(t: Test, open: () => Promise<Database>): void {
  const id = { providerId: "corp", externalId: "1" };

  t.test("external IDs: each is one user's", async (t) => {
    await using database = await open();
    const { accounts, externalIds } = database.stores;
    const alice = createdNid(await accounts.create(newAccount("@alice:hearth.test"), { externalIds: [id] }));
    t.equal(await externalIds.find(id), alice);
    t.equal(await externalIds.find({ ...id, providerId: "other" }), undefined);
    t.equal(await externalIds.link(alice, { ...id, providerId: "other" }, 1), true);
    t.equal(await externalIds.link(alice + 1, id, 1), false);
    t.equal(await externalIds.find(id), alice);
    t.strictSame(await externalIds.list(alice), [id, { ...id, providerId: "other" }]);
    const outcome = await accounts.create(newAccount("@bob:hearth.test"), { externalIds: [id] });
    t.strictSame(outcome, { created: false, reason: "external-id-in-use" });
    const bob = createdNid(await accounts.create(newAccount("@bob:hearth.test"), {}));
    const second = { providerId: "corp", externalId: "2" };
    t.equal(await externalIds.replace(bob, [second, id], 1), false);
    t.strictSame(await externalIds.list(bob), [], "somebody else's is not taken, nor the others with it");
    t.equal(await externalIds.replace(alice, [second, id], 1), true);
    t.strictSame(await externalIds.list(alice), [id, second]);
    await accounts.deactivate(alice, true);
    t.equal(await externalIds.find(id), alice, "nobody comes back by another name");
  });
}

/** What every back end's store of browser sessions does. */
export function browserSessionStoreContract(t: Test, open: () => Promise<Database>): void {
  t.test("browser sessions: until they expire, and not beyond what ends them", async (t) => {
    await using database = await open();
    const { accounts, browserSessions, devices } = database.stores;
    const userNid = createdNid(await accounts.create(newAccount("@alice:hearth.test"), {}));
    const session = { userNid, createdTs: 1_000, expiresTs: 5_000 };
    const add = (token: number) => browserSessions.add(tokenHash(token), session, 1_000);
    const isThere = async (token: number) =>
      (await browserSessions.find(tokenHash(token), 4_999)) !== undefined;
    await add(1);
    t.strictSame(await browserSessions.find(tokenHash(1), 4_999), session);
    t.equal(await browserSessions.find(tokenHash(1), 5_000), undefined);
    t.equal(await isThere(2), false);
    await browserSessions.remove(tokenHash(1));
    t.equal(await isThere(1), false);
    const ends: readonly (() => Promise<unknown>)[] = [
      () => accounts.changePassword(userNid, "hash", "A"),
      () => devices.removeAll(userNid, null),
      () => accounts.deactivate(userNid, false),
    ];
    for (const [index, end] of ends.entries()) {
      await add(10 + index);
      await end();
      t.equal(await isThere(10 + index), false);
    }
  });
}

/** What every back end's store of OAuth clients and records does. */
export function oauthStoreContract(t: Test, open: () => Promise<Database>): void {
  const record = (extra: Partial<OAuthRecord> = {}): OAuthRecord => ({
    payload: '{"a":1}',
    expiresTs: 5_000,
    grantId: null,
    userCode: null,
    ...extra,
  });
  const day = 24 * 60 * 60 * 1000;

  t.test("OAuth clients: those without a session go after a day", async (t) => {
    await using database = await open();
    const { accounts, oauth } = database.stores;
    await oauth.putClient("used", '{"a":1}', 1);
    await oauth.putClient("unused", "{}", 1);
    await oauth.putClient("again", "{}", 1);
    const binding = { clientId: "used", grantId: "g", familyHash: tokenHash(20) };
    await accounts.create(newAccount("@alice:hearth.test"), {
      session: newSession("A", 1, { oauth: binding }),
    });
    await oauth.putClient("again", "{}", day);
    await oauth.putClient("new", "{}", day + 2);
    t.equal(await oauth.findClient("used"), '{"a":1}');
    t.equal(await oauth.findClient("unused"), undefined);
    t.equal(await oauth.findClient("again"), "{}");
    t.equal(await oauth.findClient("new"), "{}");
  });

  t.test("OAuth records: put, found, used once, removed", async (t) => {
    await using database = await open();
    const { oauth } = database.stores;
    t.equal(await oauth.putRecord("Code", tokenHash(1), record({ grantId: "g" }), 1_000), true);
    t.equal(await oauth.findRecord("Code", tokenHash(1), 4_999), '{"a":1}');
    t.equal(await oauth.findRecord("Code", tokenHash(1), 5_000), undefined);
    t.equal(await oauth.findRecord("Other", tokenHash(1), 1_000), undefined);
    t.equal(await oauth.consumeRecord("Code", tokenHash(1), 2_500), true);
    t.equal(await oauth.consumeRecord("Code", tokenHash(1), 2_500), false);
    t.equal(await oauth.consumeRecord("Code", tokenHash(2), 2_500), false);
    t.equal(await oauth.findRecord("Code", tokenHash(1), 3_000), '{"a":1,"consumed":2}');
    await oauth.removeRecordsOfGrant("Other", "g");
    t.ok(await oauth.findRecord("Code", tokenHash(1), 3_000));
    await oauth.removeRecordsOfGrant("Code", "g");
    t.equal(await oauth.findRecord("Code", tokenHash(1), 3_000), undefined);
    await oauth.putRecord("Code", tokenHash(3), record(), 1_000);
    await oauth.removeRecord("Code", tokenHash(3));
    t.equal(await oauth.findRecord("Code", tokenHash(3), 1_000), undefined);
  });

  t.test("OAuth records: a user code is one record's", async (t) => {
    await using database = await open();
    const { oauth } = database.stores;
    const coded = record({ userCode: "ABCD" });
    t.equal(await oauth.putRecord("DeviceCode", tokenHash(1), coded, 1_000), true);
    t.equal(await oauth.putRecord("DeviceCode", tokenHash(1), { ...coded, payload: "{}" }, 1_000), true);
    t.equal(await oauth.putRecord("DeviceCode", tokenHash(2), coded, 1_000), false);
    const found = await oauth.findRecordByUserCode("ABCD", 1_000);
    t.equal(found?.payload, "{}");
    t.ok(found && Buffer.from(found.idHash).equals(tokenHash(1)));
    t.equal(await oauth.findRecordByUserCode("ABCD", 5_000), undefined);
    t.equal(await oauth.findRecordByUserCode("WXYZ", 1_000), undefined);
    t.equal(await oauth.putRecord("DeviceCode", tokenHash(2), coded, 5_000), true, "the expired one is gone");
  });
}

/** What every back end's store of OAuth sessions does. */
export function oauthSessionStoreContract(t: Test, open: () => Promise<Database>): void {
  const oauth = { clientId: "client", grantId: "grant", familyHash: tokenHash(20) };
  const signIn = async ({ stores }: Database) => {
    const session = newSession("A", 1, { refreshTokenHash: tokenHash(11), expiresTs: 5_000, oauth });
    return createdNid(await stores.accounts.create(newAccount("@alice:hearth.test"), { session }));
  };
  const next = (token: number) => newSession("-", token, { refreshTokenHash: tokenHash(token + 10) });

  t.test("OAuth sessions: refreshed by their client only, and not by the legacy API", async (t) => {
    await using database = await open();
    const { sessions, oauthSessions } = database.stores;
    const userNid = await signIn(database);
    t.equal(await oauthSessions.clientOf(userNid, "A"), "client");
    t.equal(await oauthSessions.clientOf(userNid, "B"), undefined);
    t.equal(await sessions.refresh(tokenHash(11), next(2)), "unknown");
    const refresh = (token: number, client = "client", family = 20) =>
      oauthSessions.refresh(tokenHash(token), tokenHash(family), client, next(2));
    t.equal(await refresh(11, "other"), "unknown");
    t.equal(await refresh(11, "client", 21), "unknown");
    t.strictSame(await refresh(11), { userNid, deviceId: "A" });
    t.strictSame(await refresh(11), { userNid, deviceId: "A" }, "the answer may have got lost");
    t.ok(await sessions.findByAccessToken(tokenHash(2)));
  });

  t.test("OAuth sessions: a token from before ends the session", async (t) => {
    await using database = await open();
    const { sessions, devices, oauthSessions } = database.stores;
    const userNid = await signIn(database);
    await oauthSessions.refresh(tokenHash(11), tokenHash(20), "client", next(2));
    await sessions.confirmRefresh(tokenHash(2));
    const outcome = await oauthSessions.refresh(tokenHash(11), tokenHash(20), "client", next(3));
    t.strictSame(outcome, { reusedBy: { userNid, deviceId: "A" } });
    t.equal(await sessions.findByAccessToken(tokenHash(2)), undefined);
    t.strictSame(await devices.list(userNid), []);
    t.equal(await oauthSessions.refresh(tokenHash(12), tokenHash(20), "client", next(3)), "unknown");
  });

  t.test("OAuth sessions: revoked by any of their tokens, or by their grant", async (t) => {
    for (const end of [1, 11, "grant"]) {
      await using database = await open();
      const { devices, oauthSessions } = database.stores;
      const userNid = await signIn(database);
      t.equal(await oauthSessions.revoke(tokenHash(99)), undefined);
      t.strictSame(await oauthSessions.revokeGrant("other"), []);
      const device = { userNid, deviceId: "A" };
      if (typeof end === "number") t.strictSame(await oauthSessions.revoke(tokenHash(end)), device);
      else t.strictSame(await oauthSessions.revokeGrant(end), [device]);
      t.strictSame(await devices.list(userNid), []);
    }
  });

  t.test("OAuth sessions: whoever logs in as the device otherwise ends them", async (t) => {
    await using database = await open();
    const { sessions, oauthSessions } = database.stores;
    const userNid = await signIn(database);
    await sessions.start(userNid, newSession("A", 5, { refreshTokenHash: tokenHash(15) }));
    t.equal(await oauthSessions.clientOf(userNid, "A"), undefined);
    t.type(await sessions.refresh(tokenHash(15), next(6)), "object");
  });
}
