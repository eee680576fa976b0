import type { Test } from "tap";
import type { Database } from "../database.ts";
import { createdNid, newAccount, newSession, tokenHash } from "./accounts.ts";

async function userWithSession(
  { stores }: Database,
  session = newSession("A", 1, { refreshTokenHash: tokenHash(11), expiresTs: 5_000 }),
): Promise<number> {
  return createdNid(await stores.accounts.create(newAccount("@alice:hearth.test"), { session }));
}

/** Tokens for the next generation of a session. */
function nextTokens(token: number): ReturnType<typeof newSession> {
  return newSession("unused", token, { refreshTokenHash: tokenHash(token + 10), expiresTs: 6_000 });
}

/** What every back end's session store does. */
export function sessionStoreContract(t: Test, open: () => Promise<Database>): void {
  t.test("sessions: a token tells its owner", async (t) => {
    await using database = await open();
    const userNid = await userWithSession(database);
    t.strictSame(await database.stores.sessions.findByAccessToken(tokenHash(1)), {
      userNid,
      userId: "@alice:hearth.test",
      deviceId: "A",
      expiresTs: 5_000,
      isAdmin: false,
      isGuest: false,
      isLocked: false,
      isSuspended: false,
      isUnconfirmed: false,
    });
    t.equal(await database.stores.sessions.findByAccessToken(tokenHash(2)), undefined);
  });

  t.test("sessions: logging in again on a device revokes its tokens and keeps its name", async (t) => {
    await using database = await open();
    const { sessions, devices } = database.stores;
    const first = newSession("A", 1, { displayName: "Phone", refreshTokenHash: tokenHash(11) });
    const userNid = await userWithSession(database, first);
    await sessions.start(userNid, newSession("A", 2, { displayName: "Other name", createdTs: 9_000 }));
    t.equal(await sessions.findByAccessToken(tokenHash(1)), undefined);
    t.equal(await sessions.refresh(tokenHash(11), nextTokens(3)), "unknown");
    t.equal((await sessions.findByAccessToken(tokenHash(2)))?.deviceId, "A");
    t.match(await devices.find(userNid, "A"), { displayName: "Phone", createdTs: 1_000 });
  });

  t.test(
    "sessions: a refreshed session keeps its old tokens until the new access token is used",
    async (t) => {
      await using database = await open();
      const { sessions } = database.stores;
      const userNid = await userWithSession(database);
      t.strictSame(await sessions.refresh(tokenHash(11), nextTokens(2)), { userNid });
      t.ok(await sessions.findByAccessToken(tokenHash(1)));
      t.match(await sessions.findByAccessToken(tokenHash(2)), {
        deviceId: "A",
        isUnconfirmed: true,
        expiresTs: 6_000,
      });
      await sessions.confirmRefresh(tokenHash(2));
      t.match(await sessions.findByAccessToken(tokenHash(2)), { isUnconfirmed: false });
      t.equal(await sessions.findByAccessToken(tokenHash(1)), undefined);
      t.equal(await sessions.refresh(tokenHash(11), nextTokens(3)), "unknown");
      await sessions.confirmRefresh(tokenHash(2));
      t.ok(await sessions.findByAccessToken(tokenHash(2)), "confirming once more changes nothing");
    },
  );

  t.test("sessions: using the new refresh token revokes the old one as well", async (t) => {
    await using database = await open();
    const { sessions } = database.stores;
    await userWithSession(database);
    await sessions.refresh(tokenHash(11), nextTokens(2));
    t.type(await sessions.refresh(tokenHash(12), nextTokens(3)), "object");
    t.equal(await sessions.refresh(tokenHash(11), nextTokens(4)), "unknown");
    t.equal(await sessions.findByAccessToken(tokenHash(1)), undefined);
    t.ok(await sessions.findByAccessToken(tokenHash(2)));
    t.ok(await sessions.findByAccessToken(tokenHash(3)));
  });

  t.test("sessions: a refresh that is repeated because its answer got lost replaces the first", async (t) => {
    await using database = await open();
    const { sessions } = database.stores;
    await userWithSession(database);
    await sessions.refresh(tokenHash(11), nextTokens(2));
    t.type(await sessions.refresh(tokenHash(11), nextTokens(3)), "object");
    t.ok(await sessions.findByAccessToken(tokenHash(1)));
    t.equal(await sessions.findByAccessToken(tokenHash(2)), undefined);
    t.equal(await sessions.refresh(tokenHash(12), nextTokens(4)), "unknown");
    t.match(await sessions.findByAccessToken(tokenHash(3)), { isUnconfirmed: true });
  });

  t.test("sessions: a locked account gets no new tokens", async (t) => {
    await using database = await open();
    const { sessions, accounts } = database.stores;
    const userNid = await userWithSession(database);
    await accounts.update(userNid, { isLocked: true });
    t.equal(await sessions.refresh(tokenHash(11), nextTokens(2)), "locked");
    t.equal(await sessions.findByAccessToken(tokenHash(2)), undefined);
  });

  t.test("sessions: a login token works once, until it expires", async (t) => {
    await using database = await open();
    const { sessions } = database.stores;
    await sessions.addLoginToken(7, tokenHash(1), 2_000, 1_000);
    t.equal(await sessions.takeLoginToken(tokenHash(1), 1_999), 7);
    t.equal(await sessions.takeLoginToken(tokenHash(1), 1_999), undefined);
    await sessions.addLoginToken(7, tokenHash(2), 2_000, 1_000);
    t.equal(await sessions.takeLoginToken(tokenHash(2), 2_000), undefined);
  });

  t.test("sessions: a user with very many devices loses the one that was not used for longest", async (t) => {
    await using database = await open();
    const { sessions, devices } = database.stores;
    const userNid = await userWithSession(database, newSession("FIRST", 1));
    const sighting = { userNid, deviceId: "FIRST", ts: 99_000, ip: "192.0.2.1", userAgent: "t" };
    await devices.saw([sighting]);
    const start = (index: number) => {
      const accessTokenHash = Buffer.alloc(32);
      accessTokenHash.writeUInt32BE(index + 1);
      const session = { accessTokenHash, createdTs: 2_000 + index };
      return sessions.start(userNid, newSession(`D${index}`, 0, session));
    };
    await Promise.all(Array.from({ length: 500 }, (_, index) => start(index)));
    const ids = (await devices.list(userNid)).map(({ deviceId }) => deviceId);
    t.equal(ids.length, 500);
    t.ok(ids.includes("FIRST"));
    t.notOk(ids.includes("D0"));
    t.ok(ids.includes("D499"));
  });
}
