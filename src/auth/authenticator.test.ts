import t from "tap";
import type { UserId } from "../protocol/identifiers.ts";
import type { DeviceSighting, DeviceStore } from "../storage/devices.ts";
import type { SessionStore, TokenOwner } from "../storage/sessions.ts";
import { createLogTo } from "../telemetry/log.ts";
import { ManualClock } from "../telemetry/testing/manual-clock.ts";
import { TokenAuthenticator } from "./authenticator.ts";
import { DeviceActivity } from "./device-activity.ts";
import { hashToken } from "./tokens.ts";

const client = { address: "192.0.2.1", userAgent: "test" };
const unknownToken = { errcode: "M_UNKNOWN_TOKEN" };

function owner(changes: Partial<TokenOwner> = {}): TokenOwner {
  return {
    userNid: 1,
    userId: "@alice:hearth.test" as UserId,
    deviceId: "A",
    expiresTs: null,
    isAdmin: false,
    isGuest: false,
    isLocked: false,
    isSuspended: false,
    isUnconfirmed: false,
    ...changes,
  };
}

/** What a promise is rejected with. */
function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => "no failure",
    (error: unknown) => error,
  );
}

/** An authenticator over sessions that are in a map by token. */
function setUp() {
  const clock = new ManualClock();
  const owners = new Map<string, TokenOwner>();
  const reads: string[] = [];
  const confirmed: string[] = [];
  const sightings: DeviceSighting[] = [];
  const find = (tokenHash: Uint8Array) =>
    [...owners.keys()].find((token) => hashToken(token).equals(tokenHash));
  const sessions = {
    async findByAccessToken(tokenHash: Uint8Array) {
      const token = find(tokenHash) ?? "";
      reads.push(token);
      return owners.get(token);
    },
    async confirmRefresh(tokenHash: Uint8Array) {
      const token = find(tokenHash) ?? "";
      confirmed.push(token);
      owners.set(token, owner());
    },
  } as Partial<SessionStore> as SessionStore;
  const devices = {
    async saw(batch: readonly DeviceSighting[]) {
      sightings.push(...batch);
    },
  } as Partial<DeviceStore> as DeviceStore;
  const activity = new DeviceActivity(devices, clock, createLogTo(process.stderr, "fatal"));
  const authenticator = new TokenAuthenticator(sessions, activity, clock);
  return { clock, owners, reads, confirmed, sightings, activity, authenticator };
}

t.test("a token is looked up once, and again after a minute", async (t) => {
  const { authenticator, owners, reads, clock } = setUp();
  owners.set("a", owner());
  const first = await authenticator.requesterOf("a", client);
  t.match(first, { userNid: 1, userId: "@alice:hearth.test", deviceId: "A", isGuest: false });
  t.ok(first.tokenHash.equals(hashToken("a")));
  t.equal(await authenticator.requesterOf("a", client), first);
  t.equal(reads.length, 1);
  clock.advance(60_001);
  owners.set("a", owner({ isSuspended: true }));
  t.equal((await authenticator.requesterOf("a", client)).isSuspended, true);
  t.equal(reads.length, 2);
});

t.test("an unknown token is looked up each time: it may be made at any moment", async (t) => {
  const { authenticator, owners } = setUp();
  t.match(await failure(authenticator.requesterOf("a", client)), {
    ...unknownToken,
    details: { soft_logout: false },
  });
  owners.set("a", owner());
  t.equal((await authenticator.requesterOf("a", client)).userNid, 1);
});

t.test("what is forgotten is looked up again, for this user only", async (t) => {
  const { authenticator, owners, reads } = setUp();
  for (const [token, userNid] of [
    ["a", 1],
    ["b", 1],
    ["c", 2],
  ] as const) {
    owners.set(token, owner({ userNid }));
    await authenticator.requesterOf(token, client);
  }
  owners.delete("a");
  owners.delete("b");
  authenticator.forgetUser(1);
  t.match(await failure(authenticator.requesterOf("a", client)), unknownToken);
  t.match(await failure(authenticator.requesterOf("b", client)), unknownToken);
  await authenticator.requesterOf("c", client);
  t.strictSame(reads, ["a", "b", "c", "", ""]);
});

t.test("a session that ends while it is being looked up is not remembered", async (t) => {
  const { authenticator, owners } = setUp();
  owners.set("a", owner());
  const underWay = authenticator.requesterOf("a", client);
  owners.delete("a");
  authenticator.forgetUser(1);
  await underWay;
  t.match(await failure(authenticator.requesterOf("a", client)), unknownToken);
});

t.test("an expired token asks for a soft logout, from memory as well", async (t) => {
  const { authenticator, owners, reads, clock } = setUp();
  owners.set("a", owner({ expiresTs: clock.nowMs() + 1_000 }));
  await authenticator.requesterOf("a", client);
  clock.advance(1_000);
  t.match(await failure(authenticator.requesterOf("a", client)), {
    ...unknownToken,
    details: { soft_logout: true },
  });
  t.equal(reads.length, 1);
});

t.test("the first use of a refreshed token is confirmed, later ones are not", async (t) => {
  const { authenticator, owners, confirmed } = setUp();
  owners.set("a", owner({ isUnconfirmed: true }));
  await authenticator.requesterOf("a", client);
  await authenticator.requesterOf("a", client);
  await authenticator.requesterOf("a", client);
  t.strictSame(confirmed, ["a"]);
});

t.test("uses of devices are written together, once a minute at most", async (t) => {
  const { authenticator, owners, sightings, activity, clock } = setUp();
  owners.set("a", owner());
  owners.set("b", owner({ deviceId: "B" }));
  const startTs = clock.nowMs();
  await authenticator.requesterOf("a", client);
  clock.advance(1_000);
  await authenticator.requesterOf("a", client);
  await authenticator.requesterOf("b", { address: "192.0.2.2", userAgent: "other" });
  t.match(activity.waitingSighting(1, "A"), { ts: startTs, ip: "192.0.2.1" });
  t.equal(sightings.length, 0);
  clock.advance(30_000);
  t.strictSame(sightings, [
    { userNid: 1, deviceId: "A", ts: startTs, ip: "192.0.2.1", userAgent: "test" },
    { userNid: 1, deviceId: "B", ts: startTs + 1_000, ip: "192.0.2.2", userAgent: "other" },
  ]);
  t.equal(activity.waitingSighting(1, "A"), undefined);
  clock.advance(29_000);
  await authenticator.requesterOf("a", client);
  await activity[Symbol.asyncDispose]();
  t.equal(sightings[2]?.ts, startTs + 60_000);
  t.equal(clock.waitingTimers, 0);
});
