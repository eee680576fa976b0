import fc from "fast-check";
import t from "tap";
import type { StoredEvent, TimelinePlace } from "../storage/events.ts";
import { RoomTimelines } from "./room-timelines.ts";

const roomNid = 1;

/** A room in memory whose reads take a turn of the event loop, like those of a database elsewhere. */
function memoryRoom(gaps: readonly number[] = []) {
  const places: TimelinePlace[] = [];
  let reads = 0;
  const store = {
    async placesBackwards(_roomNid: number, from: number, downTo: number, limit: number) {
      reads += 1;
      const found = places
        .filter(({ position }) => position <= from && position > downTo)
        .toReversed()
        .slice(0, limit);
      await Promise.resolve();
      return found;
    },
    gaps: () => Promise.resolve(gaps),
  };
  const events = {
    storedAll: (nids: readonly number[]) =>
      Promise.resolve(nids.map((eventNid) => ({ eventNid }) as StoredEvent)),
    forget: () => undefined,
  };
  const timelines = new RoomTimelines(store, events);
  const put = (count: number) => {
    const stored = Array.from({ length: count }, (_, index) => {
      const last = places.at(-1)?.position ?? 0;
      return { eventNid: places.length + 1 + index, position: last + 2 * (index + 1) };
    });
    places.push(...stored);
    return stored;
  };
  /** Tells of stored events: of each, or only that there are some. */
  const tell = (stored: readonly TimelinePlace[], ofEach: boolean) => {
    const upTo = places.at(-1)?.position ?? 0;
    const each = stored.map((place) => ({ ...place, stream: "timeline" as const, nid: roomNid }));
    timelines.committed(upTo, ofEach ? each : [{ position: upTo, stream: "timeline", nid: roomNid }]);
  };
  const commit = (count: number, ofEach = false) => tell(put(count), ofEach);
  return { places, timelines, put, tell, commit, reads: () => reads };
}

const action = fc.oneof(
  fc.record({
    commit: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 50, max: 400 })),
    ofEach: fc.boolean(),
  }),
  fc.record({ after: fc.nat(1000), upTo: fc.nat(1000), limit: fc.integer({ min: 1, max: 80 }) }),
);

t.test("any stretch is what the room has there, however much was committed in between", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 30 }), async (actions) => {
      const { places, timelines, commit } = memoryRoom();
      for (const next of actions) {
        if ("commit" in next) {
          commit(next.commit, next.ofEach);
          continue;
        }
        const stretch = await timelines.newest(roomNid, next.after, next.upTo, next.limit);
        const all = places.filter(({ position }) => position > next.after && position <= next.upTo);
        const expected = all.slice(-next.limit).map(({ eventNid }) => eventNid);
        const actual = stretch.events.map(({ eventNid }) => eventNid);
        if (JSON.stringify(actual) !== JSON.stringify(expected)) {
          throw new Error(`${JSON.stringify(actual)} is not ${JSON.stringify(expected)}`);
        }
        if (stretch.hasMore !== all.length > next.limit) throw new Error("hasMore is wrong");
      }
    }),
    { numRuns: 200 },
  );
});

t.test("a commit that comes while storage is read is not missed", async (t) => {
  const { timelines, commit } = memoryRoom();
  commit(3);
  const reading = timelines.newest(roomNid, 0, 1000, 10);
  commit(1);
  await reading;
  t.equal((await timelines.newest(roomNid, 0, 1000, 10)).events.length, 4);
});

t.test("what comes at the end is known without a read, and is there once", async (t) => {
  const { timelines, commit, put, tell, reads } = memoryRoom();
  commit(3);
  await timelines.newest(roomNid, 0, 1000, 10);
  commit(2, true);
  const early = put(2);
  const before = reads();
  const nids = async () =>
    (await timelines.newest(roomNid, 0, 1000, 10)).events.map((event) => event.eventNid);
  t.same(await nids(), [1, 2, 3, 4, 5]);
  t.equal(reads(), before);
  commit(1);
  t.same(await nids(), [1, 2, 3, 4, 5, 6, 7, 8], "storage has what has not been told yet");
  tell(early, true);
  t.same(await nids(), [1, 2, 3, 4, 5, 6, 7, 8]);
  t.equal(reads(), before + 1);
});

t.test("many who ask at once cost one read, and asking again costs none", async (t) => {
  const { timelines, commit, reads } = memoryRoom();
  commit(3);
  await timelines.newest(roomNid, 0, 1000, 10);
  commit(1);
  const before = reads();
  await Promise.all(Array.from({ length: 50 }, () => timelines.newest(roomNid, 0, 1000, 10)));
  t.equal(reads() - before, 1);
  await timelines.at(roomNid, 4);
  t.equal(reads() - before, 1);
});

t.test("no stretch crosses a gap", async (t) => {
  // Positions 2, 4, 6 ... of which some before 6 are missing.
  const { timelines, commit } = memoryRoom([6]);
  commit(5);
  const positions = async (after: number, upTo: number, limit: number) => {
    const { events, hasMore, followsGap } = await timelines.newest(roomNid, after, upTo, limit);
    return [events.map(({ eventNid }) => eventNid * 2), hasMore, followsGap];
  };
  t.same(await positions(0, 100, 10), [[6, 8, 10], true, true]);
  t.same(await positions(0, 100, 2), [[8, 10], true, false]);
  t.same(await positions(0, 5, 10), [[2, 4], false, false]);
  t.same(await positions(6, 100, 10), [[8, 10], false, false]);
  const passedOn = await timelines.newestAcrossGaps(roomNid, 2, 100, 10);
  t.same(
    passedOn.map(({ eventNid }) => eventNid * 2),
    [4, 6, 8, 10],
    "but who passes events on leaves none out",
  );
});

t.test("events that come into the middle are seen", async (t) => {
  const { timelines, commit, places } = memoryRoom();
  commit(3);
  await timelines.newest(roomNid, 0, 100, 10);
  places.splice(1, 0, { eventNid: 99, position: 3 });
  timelines.committed(7, [{ position: 7, stream: "timeline", nid: roomNid, isHistory: true }]);
  const { events } = await timelines.newest(roomNid, 0, 100, 10);
  t.same(
    events.map(({ eventNid }) => eventNid),
    [1, 99, 2, 3],
  );
});
