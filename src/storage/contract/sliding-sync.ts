import type { Test } from "tap";
import type { Database } from "../database.ts";
import type { ConnectionKey, NewConnectionVersion } from "../sliding-sync.ts";
import { createdNid, newAccount, newSession } from "./accounts.ts";

const connection = (version: string, more: Partial<NewConnectionVersion> = {}): NewConnectionVersion => ({
  version,
  baseVersion: null,
  state: `state of ${version}`,
  storedTs: 1_000,
  forgetBeforeTs: 0,
  maxConnections: 2,
  ...more,
});

async function keyOfAlice({ stores }: Database): Promise<ConnectionKey> {
  const account = newAccount("@alice:hearth.test");
  const userNid = createdNid(await stores.accounts.create(account, { session: newSession("A", 1) }));
  return { userNid, deviceId: "A", connectionId: "" };
}

/** What every back end's store of sliding sync does with connections. */
export function slidingSyncStoreContract(t: Test, open: () => Promise<Database>): void {
  t.test(
    "sliding sync: a connection keeps its newest version and the one that this is based on",
    async (t) => {
      await using database = await open();
      const key = await keyOfAlice(database);
      const { slidingSync } = database.stores;
      await slidingSync.putConnection(key, connection("one"));
      await slidingSync.putConnection(key, connection("two", { baseVersion: "one" }));
      t.equal(await slidingSync.connection(key, "one"), "state of one");
      t.equal(await slidingSync.connection(key, "two"), "state of two");
      await slidingSync.putConnection(key, connection("three", { baseVersion: "two" }));
      t.equal(await slidingSync.connection(key, "one"), undefined);
      t.equal(await slidingSync.connection(key, "two"), "state of two");
      await slidingSync.putConnection(key, connection("again", { baseVersion: "two" }));
      t.equal(await slidingSync.connection(key, "three"), undefined, "the client has not got it");
      t.equal(await slidingSync.connection({ ...key, connectionId: "other" }, "again"), undefined);
      t.equal(await slidingSync.connection({ ...key, userNid: key.userNid + 1 }, "again"), undefined);
    },
  );

  t.test(
    "sliding sync: connections go when there are too many, when they are old, with their device",
    async (t) => {
      await using database = await open();
      const key = await keyOfAlice(database);
      const { slidingSync, devices } = database.stores;
      const of = (connectionId: string) => ({ ...key, connectionId });
      for (const [index, name] of ["a", "b", "c"].entries()) {
        await slidingSync.putConnection(of(name), connection(name, { storedTs: 1_000 + index }));
      }
      t.equal(await slidingSync.connection(of("a"), "a"), undefined, "one too many");
      t.equal(await slidingSync.connection(of("b"), "b"), "state of b");
      await slidingSync.putConnection(of("d"), connection("d", { storedTs: 5_000, forgetBeforeTs: 1_002 }));
      t.equal(await slidingSync.connection(of("b"), "b"), undefined, "too old");
      t.equal(await slidingSync.connection(of("c"), "c"), "state of c");
      await devices.remove(key.userNid, ["A"]);
      t.equal(await slidingSync.connection(of("d"), "d"), undefined);
      await slidingSync.putConnection(of("e"), connection("e"));
      t.equal(await slidingSync.connection(of("e"), "e"), undefined, "the device is gone");
    },
  );
}
