import type { Test } from "tap";
import type { Database } from "../database.ts";
import type { StoredEvent, TimelinePlace } from "../events.ts";
import { commitEvents, roomNid } from "./room-fixture.ts";

const [start, end] = [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];
const nids = (events: readonly (StoredEvent | TimelinePlace)[]) => events.map(({ eventNid }) => eventNid);

/** What every back end does with the timelines of rooms. */
export function timelineStoreContract(t: Test, open: () => Promise<Database>): void {
  t.test("timelines: both directions, bounds included and excluded, limits", async (t) => {
    await using database = await open();
    const { events } = database.stores;
    const positions = await commitEvents(
      database,
      [1, 2, 3, 4, 5].map((eventNid) => ({ eventNid, inTimeline: eventNid !== 3 })),
    );
    t.equal(positions[2], null, "an event outside the timeline has no position");
    const [first = 0, second = 0, , , last = 0] = positions.map((position) => position ?? 0);
    t.same(nids(await events.timelineForwards(roomNid, start, end, 10)), [1, 2, 4, 5]);
    t.same(nids(await events.timelineForwards(roomNid, first, last - 1, 10)), [2, 4]);
    t.same(nids(await events.timelineForwards(roomNid, start, end, 2)), [1, 2]);
    t.same(nids(await events.placesBackwards(roomNid, end, start, 10)), [5, 4, 2, 1]);
    t.same(nids(await events.placesBackwards(roomNid, second, first, 10)), [2]);
    const places = await events.placesBackwards(roomNid, end, start, 3);
    t.same(nids(places), [5, 4, 2]);
    t.equal(places[0]?.position, last);
    t.same(await events.placesBackwards(roomNid + 1, end, start, 3), []);
  });

  t.test("timelines: the events closest to a moment", async (t) => {
    await using database = await open();
    const { events } = database.stores;
    // Clocks of servers differ: time does not follow the order of the timeline.
    const times = [100, 300, 200, 300];
    const positions = await commitEvents(
      database,
      times.map((originServerTs, index) => ({ eventNid: index + 1, originServerTs })),
    );
    const closest = (ts: number, direction: "forwards" | "backwards", upTo = end) =>
      events.closestInTime(roomNid, ts, direction, upTo, 2);
    t.same(await closest(150, "forwards"), [3, 2]);
    t.same(await closest(300, "forwards"), [2, 4]);
    t.same(await closest(301, "forwards"), []);
    t.same(await closest(250, "backwards"), [3, 1]);
    t.same(await closest(1000, "backwards"), [4, 2]);
    t.same(await closest(1000, "backwards", positions[0] ?? 0), [1]);
  });

  t.test("timelines: the room's state is kept where it is not what the event left", async (t) => {
    await using database = await open();
    const { events } = database.stores;
    const resolved = 2;
    const snapshots = [{ snapshotNid: resolved, parentNid: null, height: 0, delta: new Uint8Array() }];
    await commitEvents(database, [{ eventNid: 1 }]);
    await commitEvents(database, [{ eventNid: 2 }, { eventNid: 3, roomState: resolved }], { snapshots });
    const states = (await events.byNids([1, 2, 3])).map(({ eventNid, roomState }) => [eventNid, roomState]);
    t.same(
      new Map(states as [number, number | null][]),
      new Map([
        [1, null],
        [2, null],
        [3, resolved],
      ]),
    );
  });

  t.test("timelines: what says of which state events can be part", async (t) => {
    await using database = await open();
    const { events } = database.stores;
    await commitEvents(database, [{ eventNid: 1 }, { eventNid: 2, pairNid: 7 }]);
    const ids = (await events.byNids([1, 2])).map(({ eventId }) => eventId);
    const entries = await events.stateEntries([...ids, "$unknown"]);
    t.same(
      new Map(entries.map(({ eventId, ...entry }) => [eventId, entry])),
      new Map([
        [ids[0], { eventNid: 1, pairNid: null, roomNid }],
        [ids[1], { eventNid: 2, pairNid: 7, roomNid }],
      ]),
    );
  });
}
