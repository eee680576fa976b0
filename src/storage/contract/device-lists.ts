import type { Test } from "tap";
import type { Database, Stores } from "../database.ts";
import type { Membership } from "../memberships.ts";
import { commitMemberships } from "./membership-commits.ts";
import { userWithDevices } from "./device-sessions.ts";

/** Commits member events of local users in a room. Returns the position of the last. */
function setMemberships(
  stores: Stores,
  roomNid: number,
  members: Readonly<Record<number, Membership>>,
  isNew = false,
): Promise<number> {
  const all = Object.entries(members);
  const memberships = all.map(([userNid, membership]) => ({
    userNid: Number(userNid),
    isLocal: true,
    membership,
  }));
  return commitMemberships(stores, roomNid, memberships, isNew);
}

async function addDeviceKeys(stores: Stores, userNid: number, deviceId: string): Promise<void> {
  await stores.deviceKeys.upload(userNid, deviceId, {
    deviceKeys: { signed: `{"device_id":"${deviceId}","keys":{}}`, signatures: "{}" },
    oneTimeKeys: [],
    fallbackKeys: [],
    maxOneTimeKeys: 1,
  });
}

async function threeUsers({ stores }: Database): Promise<[alice: number, bob: number, carol: number]> {
  return [
    await userWithDevices(stores, "alice", ["A"]),
    await userWithDevices(stores, "bob", ["B"]),
    await userWithDevices(stores, "carol", ["C"]),
  ];
}

const nothing = { changed: [], left: [] };

/** What every back end's store of device list changes does. */
export function deviceListStoreContract(t: Test, open: () => Promise<Database>): void {
  t.test("device lists: changes reach who shares a room, and oneself", async (t) => {
    await using database = await open();
    const { stores } = database;
    const [alice, bob, carol] = await threeUsers(database);
    const start = await setMemberships(stores, 1, { [alice]: "join", [bob]: "join" }, true);
    t.strictSame(await stores.deviceLists.changes(alice, start), nothing);
    t.equal(await stores.deviceLists.countChanges(alice, start, 10), 0);
    await addDeviceKeys(stores, bob, "B");
    await addDeviceKeys(stores, carol, "C");
    t.equal(await stores.deviceLists.countChanges(alice, start, 10), 2);
    t.equal(await stores.deviceLists.countChanges(alice, start, 1), 1);
    t.strictSame(await stores.deviceLists.changes(alice, start), { changed: [bob], left: [] });
    t.strictSame(await stores.deviceLists.manyChanges(alice, start), { changed: [bob], left: [] });
    t.strictSame(await stores.deviceLists.changes(carol, start), { changed: [carol], left: [] });
  });

  t.test("device lists: removing or renaming a device with keys is a change", async (t) => {
    await using database = await open();
    const { stores } = database;
    const [alice, bob] = await threeUsers(database);
    const start = await setMemberships(stores, 1, { [alice]: "join", [bob]: "join" }, true);
    await stores.devices.rename(bob, "B", "without keys");
    await stores.devices.remove(alice, ["A"]);
    t.strictSame(await stores.deviceLists.changes(alice, start), nothing);
    await addDeviceKeys(stores, bob, "B");
    const added = await setMemberships(stores, 2, { [alice]: "join" }, true);
    await stores.devices.rename(bob, "B", "with keys");
    t.strictSame(await stores.deviceLists.changes(alice, added), { changed: [bob], left: [] });
    const renamed = await setMemberships(stores, 3, { [alice]: "join" }, true);
    await stores.devices.remove(bob, ["B"]);
    t.strictSame(await stores.deviceLists.changes(alice, renamed), { changed: [bob], left: [] });
  });

  t.test("device lists: who joins one's room is changed, who leaves the last one has left", async (t) => {
    await using database = await open();
    const { stores } = database;
    const [alice, bob, carol] = await threeUsers(database);
    await setMemberships(stores, 1, { [alice]: "join" }, true);
    const start = await setMemberships(stores, 2, { [alice]: "join", [carol]: "join" }, true);
    const joined = await setMemberships(stores, 1, { [bob]: "join", [carol]: "join" });
    t.strictSame(new Set((await stores.deviceLists.changes(alice, start)).changed), new Set([bob, carol]));
    t.strictSame(await stores.deviceLists.changes(alice, joined), nothing);
    const profile = await setMemberships(stores, 1, { [bob]: "join" });
    t.strictSame(await stores.deviceLists.changes(alice, joined), nothing, "a new profile is no new member");
    await setMemberships(stores, 1, { [bob]: "leave", [carol]: "ban" });
    t.strictSame(await stores.deviceLists.changes(alice, profile), { changed: [], left: [bob] });
    const { left } = await stores.deviceLists.changes(bob, profile);
    t.strictSame(new Set(left), new Set([alice, carol]));
  });

  t.test("device lists: joining and leaving a room oneself", async (t) => {
    await using database = await open();
    const { stores } = database;
    const [alice, bob, carol] = await threeUsers(database);
    await setMemberships(stores, 1, { [bob]: "join" }, true);
    const start = await setMemberships(stores, 2, { [bob]: "join", [carol]: "join", [alice]: "leave" }, true);
    const joined = await setMemberships(stores, 2, { [alice]: "join" });
    t.equal(await stores.deviceLists.countChanges(alice, start, 10), 10, "a whole room to look at");
    const changes = await stores.deviceLists.changes(alice, start);
    t.strictSame(new Set(changes.changed), new Set([bob, carol]));
    t.strictSame(changes.left, []);
    await setMemberships(stores, 1, { [alice]: "join" });
    await setMemberships(stores, 2, { [carol]: "leave" });
    await setMemberships(stores, 2, { [alice]: "leave" });
    const after = await stores.deviceLists.changes(alice, joined);
    t.strictSame(after, { changed: [bob], left: [carol] }, "bob is in another room");
  });

  t.test("device lists: a user's signature of another is a change for the signer alone", async (t) => {
    await using database = await open();
    const { stores } = database;
    const [alice, bob] = await threeUsers(database);
    const masterKey = { usage: "master", publicKey: "m", signed: "{}", signatures: "{}" } as const;
    const userKey = { ...masterKey, usage: "user_signing", publicKey: "u" } as const;
    const keys = { masterKey: "m", authorised: false };
    await stores.crossSigning.upload(alice, { ...keys, keys: [masterKey, userKey] });
    await stores.crossSigning.upload(bob, { ...keys, keys: [masterKey] });
    const start = await setMemberships(stores, 1, { [alice]: "join", [bob]: "join" }, true);
    const signature = { targetNid: bob, signed: "{}", keyId: "ed25519:u", signature: "s" };
    await stores.crossSigning.addUserSignatures(alice, [signature]);
    t.equal(await stores.deviceLists.countChanges(alice, start, 10), 1);
    t.equal(await stores.deviceLists.countChanges(bob, start, 10), 0);
    t.strictSame(await stores.deviceLists.changes(alice, start), { changed: [bob], left: [] });
    t.strictSame(await stores.deviceLists.changes(bob, start), nothing);
  });
}
