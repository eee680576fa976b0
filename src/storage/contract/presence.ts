import type { Test } from "tap";
import type { Database } from "../database.ts";
import type { UserPresence } from "../presence.ts";
import { createdNid, newAccount } from "./accounts.ts";

async function createUser({ stores }: Database, name: string): Promise<number> {
  return createdNid(await stores.accounts.create(newAccount(`@${name}:hearth.test`), {}));
}

/** What every back end's presence store does. */
export function presenceStoreContract(t: Test, open: () => Promise<Database>): void {
  t.test("presence: the last change is kept, and in which order users changed", async (t) => {
    await using database = await open();
    const { presence } = database.stores;
    const alice = await createUser(database, "alice");
    const bob = await createUser(database, "bob");
    const online: UserPresence = { userNid: alice, state: "online", statusMessage: "here", lastActiveTs: 7 };
    const away: UserPresence = { userNid: bob, state: "unavailable", statusMessage: null, lastActiveTs: 8 };
    t.equal(await presence.find(alice), undefined);
    await presence.put([online, away]);
    t.strictSame(await presence.find(alice), online);
    const local = { isLocal: true };
    t.same(await presence.present(10), [
      { ...online, ...local },
      { ...away, ...local },
    ]);
    t.strictSame(await presence.changedSince(0, 10), [bob, alice]);
    await presence.put([{ ...online, state: "offline" }]);
    t.same(await presence.present(10), [{ ...away, ...local }]);
    t.strictSame(await presence.changedSince(0, 10), [alice, bob]);
    t.strictSame(await presence.changedSince(0, 1), [alice]);
    await presence.noteActivity([{ userNid: alice, lastActiveTs: 99 }]);
    t.strictSame(await presence.find(alice), { ...online, state: "offline", lastActiveTs: 99 });
    t.strictSame(await presence.changedSince(0, 10), [alice, bob], "activity alone is no change");
  });

  t.test("presence: of users of other servers, those who went last are kept", async (t) => {
    await using database = await open();
    const { names, presence } = database.stores;
    const remote = ["@a:far.test", "@b:far.test", "@c:far.test", "@d:far.test"];
    const nids: number[] = [];
    for (const userId of remote) nids.push(await names.internUser(userId, false));
    const states = ["online", "offline", "offline", "offline"] as const;
    await presence.put(
      nids.map((userNid, index) => ({
        userNid,
        state: states[index] ?? "offline",
        statusMessage: null,
        lastActiveTs: 7,
      })),
    );
    const local = await createUser(database, "alice");
    await presence.put([{ userNid: local, state: "offline", statusMessage: null, lastActiveTs: 7 }]);
    t.match(await presence.present(10), [{ userNid: nids[0], isLocal: false }]);
    await presence.forgetRemote(1);
    t.strictSame(await presence.changedSince(0, 10), [local, nids[3], nids[0]]);
    await presence.forgetRemote(0);
    t.strictSame(await presence.changedSince(0, 10), [local, nids[0]]);
  });

  t.test("presence: who is there in some rooms", async (t) => {
    await using database = await open();
    const { presence, commits, names } = database.stores;
    const alice = await createUser(database, "alice");
    const penny = await names.internUser("@penny:peer.test", false);
    const online = { state: "online", statusMessage: null, lastActiveTs: 7 } as const;
    await presence.put([
      { userNid: alice, ...online },
      { userNid: penny, ...online, state: "unavailable" },
    ]);
    await commits.commit({
      roomNid: 1,
      newRoom: { roomId: "!room:hearth.test", version: "10" },
      events: [],
      snapshots: [],
      head: { extremities: [], currentSnapshot: 1 },
      memberships: [
        { userNid: alice, isLocal: true, membership: "leave", eventNid: 1 },
        { userNid: penny, isLocal: false, membership: "join", eventNid: 2 },
      ],
    });
    t.strictSame(await presence.presentIn([1, 2], 10), [penny], "few members");
    const many = Array.from({ length: 50 }, (_, index) => ({
      userNid: 1_000 + index,
      isLocal: true,
      membership: "join" as const,
      eventNid: 3,
    }));
    await commits.commit({
      roomNid: 1,
      events: [],
      snapshots: [],
      head: { extremities: [], currentSnapshot: 1 },
      memberships: many,
    });
    t.strictSame(await presence.presentIn([1, 2], 10), [penny], "few who are there");
    t.strictSame(await presence.presentIn([2], 10), []);
    t.strictSame(await presence.presentIn([1], 0), []);
  });

  t.test("presence: goes with a deactivated account, and does not come back", async (t) => {
    await using database = await open();
    const { accounts, presence } = database.stores;
    const alice = await createUser(database, "alice");
    const online: UserPresence = { userNid: alice, state: "online", statusMessage: null, lastActiveTs: 7 };
    await presence.put([online]);
    await accounts.deactivate(alice, false);
    t.equal(await presence.find(alice), undefined);
    await presence.put([online]);
    t.equal(await presence.find(alice), undefined);
  });
}
