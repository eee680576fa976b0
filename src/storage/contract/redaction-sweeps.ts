import type { Test } from "tap";
import type { Database } from "../database.ts";
import { commitEvents, roomNid } from "./room-fixture.ts";

/** What every back end's store of redaction sweeps does. */
export function redactionSweepStoreContract(t: Test, open: () => Promise<Database>): void {
  t.test("redaction sweeps: queued with their member event, until they are done", async (t) => {
    await using database = await open();
    const { redactionSweeps, events } = database.stores;
    await commitEvents(database, [{ eventNid: 1 }, { eventNid: 2 }, { eventNid: 3, redacts: 1 }]);
    t.strictSame(await redactionSweeps.list(10), []);
    await commitEvents(database, [
      { eventNid: 4, redactsAllOf: 7 },
      { eventNid: 5, redactsAllOf: 8 },
    ]);
    const sweep = { eventNid: 4, roomNid, userNid: 7 };
    t.strictSame(await redactionSweeps.list(1), [sweep]);
    t.equal((await redactionSweeps.list(10)).length, 2);

    const emptied = { common: '"content":{"left":true}', federation: '"depth":1' };
    await redactionSweeps.redact(sweep, [
      { targetNid: 1, ...emptied },
      { targetNid: 2, ...emptied },
    ]);
    const [first, second] = [await events.byNid(1), await events.byNid(2)];
    t.match(first, { redactedBy: 3, common: '"content":{}' }, "redacted before");
    t.match(second, { redactedBy: 4, common: emptied.common });
    await redactionSweeps.done(4);
    t.strictSame(await redactionSweeps.list(10), [{ eventNid: 5, roomNid, userNid: 8 }]);
  });
}
