import type { Test } from "tap";
import type { Database } from "../database.ts";
import { maxPushersPerUser, type NewPusher } from "../pushers.ts";
import { userWithDevices } from "./device-sessions.ts";

function pusher(userNid: number, pushkey: string, rest: Partial<NewPusher> = {}): NewPusher {
  return {
    userNid,
    deviceId: "PHONE",
    appId: "app",
    pushkey,
    setTs: 1,
    isEnabled: true,
    description: "{}",
    ...rest,
  };
}

const alone = { append: false, keepsDevice: false };
const shared = { append: true, keepsDevice: false };

/** What every back end's store of pushers does. */
export function pusherStoreContract(t: Test, open: () => Promise<Database>): void {
  t.test("pushers: set, replaced, removed", async (t) => {
    await using database = await open();
    const { pushers } = database.stores;
    t.strictSame(await pushers.ofUser(1), []);
    await pushers.set(pusher(1, "a", { description: '{"n":1}' }), alone);
    await pushers.set(pusher(1, "b"), alone);
    const before = (await pushers.ofUser(1)).find(({ pushkey }) => pushkey === "a");
    t.match(before, { userNid: 1, appId: "app", pushkey: "a", setTs: 1, description: '{"n":1}' });
    await pushers.set(pusher(1, "a", { description: '{"n":2}', setTs: 2 }), alone);
    t.equal((await pushers.ofUser(1)).length, 2);
    const after = await pushers.byNid(before?.pusherNid ?? 0);
    t.match(after, { pushkey: "a", setTs: 2, description: '{"n":2}' }, "it is the same pusher");
    await pushers.remove(1, "app", "none");
    await pushers.remove(2, "app", "a");
    await pushers.remove(1, "app", "a");
    t.strictSame(
      (await pushers.ofUser(1)).map(({ pushkey }) => pushkey),
      ["b"],
    );
    await pushers.removeByNid((await pushers.ofUser(1))[0]?.pusherNid ?? 0);
    t.strictSame(await pushers.ofUser(1), []);
    await pushers.set(pusher(1, "c"), alone);
    t.ok((await pushers.ofUser(1)).every(({ pusherNid }) => pusherNid > (after?.pusherNid ?? 0)));
  });

  t.test("pushers: switched on and off, and by whom", async (t) => {
    await using database = await open();
    const { pushers } = database.stores;
    await pushers.set(pusher(1, "a"), alone);
    const stored = async () => (await pushers.ofUser(1))[0];
    t.match(await stored(), { deviceId: "PHONE", isEnabled: true });
    const off = pusher(1, "a", { deviceId: "TABLET", isEnabled: false });
    await pushers.set(off, { append: false, keepsDevice: true });
    t.match(await stored(), { deviceId: "PHONE", isEnabled: false });
    t.match(await pushers.byNid((await stored())?.pusherNid ?? 0), { deviceId: "PHONE", isEnabled: false });
    await pushers.set(off, alone);
    t.match(await stored(), { deviceId: "TABLET", isEnabled: false });
    await pushers.set(pusher(1, "b", { deviceId: "NEW" }), { append: false, keepsDevice: true });
    t.ok(
      (await pushers.ofUser(1)).some(({ deviceId }) => deviceId === "NEW"),
      "a new one has the device given",
    );
  });

  t.test("pushers: an app and pushkey are taken from other users unless they are to be shared", async (t) => {
    await using database = await open();
    const { pushers } = database.stores;
    await pushers.set(pusher(1, "a"), alone);
    await pushers.set(pusher(1, "b"), alone);
    await pushers.set(pusher(2, "a"), shared);
    t.strictSame(new Set(await pushers.userNids()), new Set([1, 2]));
    t.equal((await pushers.ofUser(1)).length, 2);
    await pushers.set(pusher(3, "a"), alone);
    t.strictSame(await pushers.ofUser(2), []);
    t.strictSame(
      (await pushers.ofUser(1)).map(({ pushkey }) => pushkey),
      ["b"],
    );
  });

  t.test("pushers: a user keeps a bounded number, those set last", async (t) => {
    await using database = await open();
    const { pushers } = database.stores;
    await pushers.set(pusher(2, "other"), alone);
    for (let n = 0; n <= maxPushersPerUser; n++) await pushers.set(pusher(1, `key${n}`, { setTs: n }), alone);
    const kept = (await pushers.ofUser(1)).map(({ pushkey }) => pushkey);
    t.equal(kept.length, maxPushersPerUser);
    t.notOk(kept.includes("key0"));
    t.equal((await pushers.ofUser(2)).length, 1);
  });

  t.test("pushers: they go with their device", async (t) => {
    await using database = await open();
    const { pushers, devices, accounts } = database.stores;
    const userNid = await userWithDevices(database.stores, "alice", ["PHONE", "TABLET"]);
    await pushers.set(pusher(userNid, "a"), alone);
    await pushers.set(pusher(userNid, "b", { deviceId: "TABLET" }), alone);
    await devices.remove(userNid, ["PHONE"]);
    t.strictSame(
      (await pushers.ofUser(userNid)).map(({ pushkey }) => pushkey),
      ["b"],
    );
    await accounts.deactivate(userNid, false);
    t.strictSame(await pushers.ofUser(userNid), []);
  });

  t.test("pushers: progress is one for all but those that are behind", async (t) => {
    await using database = await open();
    const { pushers } = database.stores;
    t.equal(await pushers.progress(), undefined);
    await pushers.set(pusher(1, "a"), alone);
    await pushers.set(pusher(1, "b"), alone);
    const [a = 0, b = 0] = (await pushers.ofUser(1)).map(({ pusherNid }) => pusherNid);
    await pushers.saveProgress({ upTo: 10, behind: [{ pusherNid: a, deliveredUpTo: 5 }], caughtUp: [b] });
    t.strictSame(await pushers.progress(), { upTo: 10, behind: [{ pusherNid: a, deliveredUpTo: 5 }] });
    await pushers.set(pusher(1, "a", { setTs: 9 }), alone);
    t.equal((await pushers.progress())?.behind.length, 1, "setting it anew leaves it where it is");
    await pushers.saveProgress({ upTo: 11, behind: [], caughtUp: [a] });
    t.strictSame(await pushers.progress(), { upTo: 11, behind: [] });
  });
}
