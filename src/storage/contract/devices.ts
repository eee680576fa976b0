import type { Test } from "tap";
import type { Database } from "../database.ts";
import { createdNid, newAccount, newSession, tokenHash } from "./accounts.ts";

/** What every back end's device store does. */
export function deviceStoreContract(t: Test, open: () => Promise<Database>): void {
  t.test("devices: listed by ID, renamed, and seen", async (t) => {
    await using database = await open();
    const { accounts, sessions, devices } = database.stores;
    const session = newSession("B", 1, { displayName: "Phone" });
    const userNid = createdNid(await accounts.create(newAccount("@alice:hearth.test"), { session }));
    await sessions.start(userNid, newSession("A", 2));
    const neverSeen = { lastSeenTs: null, lastSeenIp: null, lastSeenUserAgent: null };
    t.strictSame(await devices.list(userNid), [
      { deviceId: "A", displayName: null, createdTs: 1_000, ...neverSeen },
      { deviceId: "B", displayName: "Phone", createdTs: 1_000, ...neverSeen },
    ]);
    t.equal(await devices.rename(userNid, "A", "Laptop"), true);
    t.equal(await devices.rename(userNid, "NONE", "Laptop"), false);
    await devices.saw([
      { userNid, deviceId: "A", ts: 5_000, ip: "192.0.2.1", userAgent: "agent" },
      { userNid, deviceId: "NONE", ts: 5_000, ip: "192.0.2.1", userAgent: "agent" },
    ]);
    const seen = { lastSeenTs: 5_000, lastSeenIp: "192.0.2.1", lastSeenUserAgent: "agent" };
    t.strictSame(await devices.find(userNid, "A"), {
      deviceId: "A",
      displayName: "Laptop",
      createdTs: 1_000,
      ...seen,
    });
    t.equal(await devices.find(userNid, "NONE"), undefined);
    t.equal(await devices.find(userNid + 1, "A"), undefined);
  });

  t.test("devices: removed with their tokens, of one user only", async (t) => {
    await using database = await open();
    const { accounts, sessions, devices } = database.stores;
    const refreshable = newSession("A", 1, { refreshTokenHash: tokenHash(11) });
    const alice = createdNid(
      await accounts.create(newAccount("@alice:hearth.test"), { session: refreshable }),
    );
    const bob = createdNid(
      await accounts.create(newAccount("@bob:hearth.test"), { session: newSession("A", 2) }),
    );
    t.strictSame(await devices.remove(alice, ["A", "NONE", "A"]), ["A"]);
    t.equal(await sessions.findByAccessToken(tokenHash(1)), undefined);
    t.equal(await sessions.refresh(tokenHash(11), newSession("A", 3)), "unknown");
    t.ok(await sessions.findByAccessToken(tokenHash(2)));
    for (const [index, deviceId] of ["B", "C", "D"].entries()) {
      await sessions.start(bob, newSession(deviceId, 20 + index));
    }
    t.strictSame((await devices.removeAll(bob, "C")).toSorted(), ["A", "B", "D"]);
    t.equal((await sessions.findByAccessToken(tokenHash(21)))?.deviceId, "C");
    t.strictSame(await devices.removeAll(bob, null), ["C"]);
    t.equal(await sessions.findByAccessToken(tokenHash(21)), undefined);
  });
}
