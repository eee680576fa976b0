import type { Test } from "tap";
import type { Database, Stores } from "../database.ts";
import type { Membership } from "../memberships.ts";
import type { ToldDeviceUpdate } from "../remote-device-lists.ts";
import { commitMemberships } from "./membership-commits.ts";
import { userWithDevices } from "./device-sessions.ts";

const server = "peer.test";

interface Fixture {
  readonly stores: Stores;
  readonly alice: number;
  readonly peer: number;
  /** Sets somebody's membership in a room. Returns the position. */
  readonly become: (roomNid: number, userNid: number, membership: Membership) => Promise<number>;
  /** Whom a local user is told of since a position. */
  readonly changedSince: (position: number) => Promise<readonly number[]>;
}

async function fixture({ stores }: Database): Promise<Fixture> {
  const alice = await userWithDevices(stores, "alice", ["A"]);
  const peer = await stores.names.internUser(`@peer:${server}`, false);
  const rooms = new Set<number>();
  const become = (roomNid: number, userNid: number, membership: Membership) => {
    const isNew = !rooms.has(roomNid);
    rooms.add(roomNid);
    return commitMemberships(stores, roomNid, [{ userNid, isLocal: userNid === alice, membership }], isNew);
  };
  const changedSince = async (position: number) =>
    (await stores.deviceLists.changes(alice, position)).changed;
  return { stores, alice, peer, become, changedSince };
}

const device = (deviceId: string, signed = `{"device_id":"${deviceId}"}`) => ({
  deviceId,
  displayName: null,
  signed,
  signatures: "{}",
});
const list = (streamId: number, ...deviceIds: string[]) => ({
  streamId,
  devices: deviceIds.map((id) => device(id)),
  crossSigning: [],
});
const update = (deviceId: string, streamId: number | null, ...prevIds: number[]): ToldDeviceUpdate => ({
  deviceId,
  streamId,
  prevIds,
  keys: { signed: `{"device_id":"${deviceId}"}`, signatures: "{}" },
  displayName: "a name",
});
const key = (usage: "master" | "self_signing", publicKey: string) => ({
  usage,
  publicKey,
  signed: `{"keys":"${publicKey}"}`,
  signatures: "{}",
});

/** What every back end's store of remote users' device lists does. */
export function remoteDeviceListStoreContract(t: Test, open: () => Promise<Database>): void {
  const withFixture = (name: string, run: (t: Test, fixture: Fixture) => Promise<void>) =>
    t.test(`remote device lists: ${name}`, async (t) => {
      await using database = await open();
      const all = await fixture(database);
      await all.become(1, all.alice, "join");
      await run(t, all);
    });
  const devicesOf = async ({ stores, peer }: Fixture) => {
    const [keys] = await stores.deviceKeys.of([peer]);
    return keys?.devices.map(({ deviceId }) => deviceId) ?? [];
  };

  withFixture("only of users who share a room", async (t, all) => {
    const { peer, become } = all;
    const lists = all.stores.remoteDeviceLists;
    t.equal(await lists.replace(peer, server, 0, list(1, "D")), "unshared");
    t.equal(await lists.update(peer, server, update("D", 2, 1)), "unshared");
    t.equal(await lists.updateCrossSigning(peer, server, []), "unshared");
    t.match(await lists.states([peer]), [{ sharesRoom: false, isStored: false, isCurrent: false }]);
    await become(1, peer, "join");
    t.match(await lists.states([peer]), [{ sharesRoom: true, isStored: false, isCurrent: false }]);
    t.equal(await lists.replace(peer, server, 0, list(1, "D")), "current");
    t.strictSame(await devicesOf(all), ["D"]);
    await become(2, all.alice, "join");
    await become(2, peer, "join");
    await become(1, peer, "leave");
    t.strictSame(await devicesOf(all), ["D"], "another room is shared");
    await become(2, all.alice, "leave");
    t.strictSame(await devicesOf(all), [], "the last of this server has gone");
    t.match(await lists.states([peer]), [{ sharesRoom: false, isStored: false }]);
  });

  withFixture("updates follow on each other, or make the list stale", async (t, all) => {
    const { peer, become, changedSince } = all;
    const lists = all.stores.remoteDeviceLists;
    await become(1, peer, "join");
    await lists.replace(peer, server, 0, list(10, "D"));
    const start = await all.become(9, all.alice, "join");
    t.equal(await lists.update(peer, server, update("E", 11, 10)), "current");
    t.strictSame(await devicesOf(all), ["D", "E"]);
    t.strictSame(await changedSince(start), [peer]);
    const after = await all.become(9, all.alice, "join");
    t.equal(await lists.update(peer, server, update("E", 12, 11)), "current");
    t.strictSame(await changedSince(after), [], "nothing is different");
    for (const wrong of [
      update("F", 13, 11),
      update("F", 13),
      update("F", null, 12),
      update("F", 13, 12, 1),
    ]) {
      await lists.replace(peer, server, (await lists.states([peer]))[0]?.generation ?? 0, list(12, "D", "E"));
      t.equal(await lists.update(peer, server, wrong), "stale");
      t.match(await lists.states([peer]), [{ isStored: true, isCurrent: false }]);
    }
    t.strictSame(await devicesOf(all), ["D", "E"]);
    t.strictSame(await lists.staleUsers(server, 10), [peer]);
    t.strictSame(await lists.serversWithStale(), [server]);
    t.equal(await lists.update(peer, server, update("F", 14, 12)), "stale", "until there is a whole list");
  });

  withFixture("what a current list has of a device", async (t, { stores, alice, peer, become }) => {
    const { remoteDeviceLists: lists } = stores;
    await become(1, peer, "join");
    t.equal(await lists.currentDevice(peer, "D"), undefined, "there is no list");
    await lists.replace(peer, server, 0, list(10, "D"));
    t.same(await lists.currentDevice(peer, "D"), { signed: `{"device_id":"D"}` });
    t.same(await lists.currentDevice(peer, "E"), { signed: null });
    t.equal(await lists.currentDevice(alice, "A"), undefined, "of users of other servers only");
    await lists.update(peer, server, update("D", null));
    t.equal(await lists.currentDevice(peer, "D"), undefined, "it is stale");
  });

  withFixture("a list that was asked for before an update stays stale", async (t, all) => {
    const { peer, become, changedSince } = all;
    const lists = all.stores.remoteDeviceLists;
    await become(1, peer, "join");
    t.equal(await lists.update(peer, server, update("D", 5, 4)), "stale");
    const generation = (await lists.states([peer]))[0]?.generation ?? 0;
    await lists.update(peer, server, update("E", 6, 5));
    t.equal(await lists.replace(peer, server, generation, list(5, "D")), "stale");
    const start = await all.become(9, all.alice, "join");
    t.equal(await lists.replace(peer, server, generation + 1, list(6, "D", "E")), "current");
    t.strictSame(await changedSince(start), [peer]);
    t.strictSame(await lists.serversWithStale(), []);
    await lists.forget(peer);
    t.strictSame(await devicesOf(all), []);
  });

  withFixture("cross-signing keys, and what a new master key takes with it", async (t, all) => {
    const { stores, alice, peer, become } = all;
    const lists = stores.remoteDeviceLists;
    await become(1, peer, "join");
    const keys = [key("master", "m"), key("self_signing", "s")];
    await lists.replace(peer, server, 0, { ...list(1, "D"), crossSigning: keys });
    t.equal((await stores.crossSigning.keysOf(peer)).length, 2);
    const own = { ...key("master", "a"), usage: "user_signing", publicKey: "u" } as const;
    await stores.crossSigning.upload(alice, {
      keys: [key("master", "a"), own],
      masterKey: "a",
      authorised: true,
    });
    const signature = { targetNid: peer, signed: `{"keys":"m"}`, keyId: "ed25519:u", signature: "s" };
    t.strictSame(await stores.crossSigning.addUserSignatures(alice, [signature]), [true]);
    await lists.updateCrossSigning(peer, server, [key("master", "m"), key("self_signing", "s2")]);
    t.match(await stores.crossSigning.userSignaturesOf(alice), [{ targetNid: peer }]);
    await lists.updateCrossSigning(peer, server, [key("master", "m2"), key("self_signing", "s2")]);
    t.strictSame(await stores.crossSigning.userSignaturesOf(alice), []);
    t.equal((await stores.crossSigning.keysOf(peer)).length, 2);
    t.equal(await lists.updateCrossSigning(peer, server, null), "stale");
    const generation = (await lists.states([peer]))[0]?.generation ?? 0;
    await lists.replace(peer, server, generation, list(2, "D"));
    t.strictSame(await stores.crossSigning.keysOf(peer), []);
  });

  withFixture("a user with too many devices has none", async (t, all) => {
    await all.become(1, all.peer, "join");
    const ids = Array.from({ length: 1_001 }, (_, index) => `D${index}`);
    const lists = all.stores.remoteDeviceLists;
    t.equal(await lists.replace(all.peer, server, 0, list(1, ...ids)), "current");
    t.strictSame(await devicesOf(all), []);
  });
}
