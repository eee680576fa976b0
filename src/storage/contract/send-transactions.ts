import type { Test } from "tap";
import type { Database } from "../database.ts";
import { type SendTransaction, transactionLifetimeMs } from "../events.ts";
import { commitEvents, roomNid } from "./room-fixture.ts";

const userNid = 7;
const typeNid = 3;

function request(transactionId: string, targetId = ""): SendTransaction {
  return { userNid, deviceId: "D", transactionId, roomNid, typeNid, targetId };
}

/** Commits an event that was sent with a transaction ID. */
async function send(
  database: Database,
  eventNid: number,
  id: string,
  createdTs: number,
  targetId = "",
): Promise<void> {
  const transaction = { deviceId: "D", id, targetId, createdTs };
  await commitEvents(database, [{ eventNid, senderNid: userNid, typeNid, transaction }]);
}

/** What every back end does with the transaction IDs of sends. */
export function sendTransactionStoreContract(t: Test, open: () => Promise<Database>): void {
  t.test("send transactions: an event is found by everything that the request's path names", async (t) => {
    await using database = await open();
    const { events } = database.stores;
    await send(database, 1, "once", 0);
    await send(database, 2, "once", 0, "$target");
    t.equal(await events.byTransaction(request("once")), 1);
    t.equal(await events.byTransaction(request("once", "$target")), 2);
    t.equal(await events.byTransaction(request("once", "$other")), undefined);
    t.equal(await events.byTransaction(request("twice")), undefined);
    const different = { userNid: 8, deviceId: "E", roomNid: roomNid + 1, typeNid: 4 };
    for (const [key, value] of Object.entries(different)) {
      t.equal(await events.byTransaction({ ...request("once"), [key]: value }), undefined, key);
    }
    t.strictSame(
      await events.transactionIds(userNid, "D", [1, 2, 3]),
      new Map([
        [1, "once"],
        [2, "once"],
      ]),
    );
    t.strictSame(await events.transactionIds(userNid, "E", [1, 2, 3]), new Map());
    t.equal(await events.hasTransactions(userNid, "D"), true);
    t.equal(await events.hasTransactions(userNid, "E"), false);
  });

  t.test("send transactions: what was sent before is not stored again, nor what comes with it", async (t) => {
    await using database = await open();
    const { events } = database.stores;
    const transaction = { deviceId: "D", id: "once", targetId: "", createdTs: 0 };
    const event = { senderNid: userNid, typeNid, transaction };
    await commitEvents(database, [{ ...event, eventNid: 1 }]);
    const repeated = commitEvents(database, [{ eventNid: 2 }, { ...event, eventNid: 3 }]);
    await t.rejects(repeated, { message: "the events were not stored" });
    t.same(await events.byNids([1, 2, 3]).then((found) => found.map(({ eventNid }) => eventNid)), [1]);
    t.equal(await events.byTransaction(request("once")), 1);
  });

  t.test("send transactions: old ones go faster than new ones come, and none before its time", async (t) => {
    await using database = await open();
    const { events } = database.stores;
    const ids = Array.from({ length: 6 }, (_, index) => `t${index}`);
    for (const [index, id] of ids.entries()) await send(database, index + 1, id, index);
    const remembered = async () => {
      const found = await Promise.all(ids.map((id) => events.byTransaction(request(id))));
      return found.filter((eventNid) => eventNid !== undefined);
    };
    await send(database, 10, "just in time", transactionLifetimeMs);
    t.strictSame(await remembered(), [1, 2, 3, 4, 5, 6]);
    await send(database, 11, "later", transactionLifetimeMs + 5);
    t.strictSame(await remembered(), [3, 4, 5, 6]);
    await send(database, 12, "later still", transactionLifetimeMs + 5);
    t.strictSame(await remembered(), [5, 6]);
    await send(database, 13, "at last", transactionLifetimeMs + 5);
    t.strictSame(await remembered(), [6]);
    t.equal(await events.byTransaction(request("just in time")), 10);
  });
}
