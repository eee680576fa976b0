import type { Test } from "tap";
import type { Database } from "../database.ts";
import { eventFlags } from "../events.ts";
import { commitEvents, roomNid } from "./room-fixture.ts";

const latest = Number.MAX_SAFE_INTEGER;
const nidsOf = (places: readonly { eventNid: number }[]) => places.map(({ eventNid }) => eventNid);

/** What every back end's store of sticky events does. */
export function stickyEventStoreContract(t: Test, open: () => Promise<Database>): void {
  t.test("sticky events: those of rooms come oldest first, until their time is over", async (t) => {
    await using database = await open();
    const store = database.stores.stickyEvents;
    const positions = await commitEvents(database, [
      { eventNid: 1, stickyUntilTs: 100 },
      { eventNid: 2 },
      { eventNid: 3, stickyUntilTs: 200, senderNid: 2 },
      { eventNid: 4, stickyUntilTs: 50, senderNid: 2 },
    ]);
    t.strictSame(nidsOf(await store.inRooms([roomNid], 0, latest, 10, 9)), [1, 3, 4]);
    t.strictSame(nidsOf(await store.inRooms([roomNid], 0, latest, 50, 9)), [1, 3]);
    t.strictSame(nidsOf(await store.inRooms([roomNid], positions[0] ?? 0, latest, 10, 1)), [3]);
    t.strictSame(nidsOf(await store.inRooms([roomNid], 0, positions[0] ?? 0, 10, 9)), [1]);
    t.strictSame(await store.inRooms([roomNid + 1], 0, latest, 10, 9), []);
    t.strictSame(
      [...(await store.untilTs([1, 2, 3, 4], 60))],
      [
        [1, 100],
        [3, 200],
      ],
    );
    t.strictSame(await store.ofSender(roomNid, 2, 10, 9), [50, 200]);
    t.strictSame(await store.ofSender(roomNid, 2, 10, 1), [50]);
    t.match(await store.rooms(10), [{ roomNid, untilTs: 200 }]);
    t.strictSame(await store.rooms(200), []);
  });

  t.test("sticky events: a redacted one is sticky no longer", async (t) => {
    await using database = await open();
    const store = database.stores.stickyEvents;
    await commitEvents(database, [
      { eventNid: 1, stickyUntilTs: 100 },
      { eventNid: 2, redacts: 1 },
    ]);
    t.strictSame(await store.inRooms([roomNid], 0, latest, 10, 9), []);
  });

  t.test("sticky events: a soft-failed one is delivered once it is revealed", async (t) => {
    await using database = await open();
    const store = database.stores.stickyEvents;
    const [first] = await commitEvents(database, [
      { eventNid: 1 },
      { eventNid: 2, stickyUntilTs: 100, inTimeline: false, flags: eventFlags.softFailed },
      { eventNid: 3, stickyUntilTs: 100, inTimeline: false, flags: eventFlags.rejected },
    ]);
    t.strictSame(await store.inRooms([roomNid], 0, latest, 10, 9), []);
    t.strictSame(await store.rooms(10), []);
    t.strictSame(await store.hidden(roomNid, [1, 7], 10), [2]);
    t.strictSame(await store.hidden(roomNid, [1], 100), []);
    t.strictSame(await store.hidden(roomNid, [7], 10), [], "of another sender");
    await store.reveal(2);
    const [revealed] = await store.inRooms([roomNid], first ?? 0, latest, 10, 9);
    t.match(revealed, { eventNid: 2, roomNid });
    t.strictSame(await store.hidden(roomNid, [1], 10), []);
    await store.reveal(2);
    t.strictSame(await store.inRooms([roomNid], revealed?.position ?? 0, latest, 10, 9), [], "once");
  });
}
