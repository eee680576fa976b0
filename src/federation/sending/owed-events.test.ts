import t from "tap";
import type { ServerName } from "../../protocol/identifiers.ts";
import { OwedEvents } from "./owed-events.ts";

/** A room as storage sees it: where the newest event is, and the newest of those that this server has sent. */
interface StoredRoom {
  lastPosition: number;
  sentPosition: number;
}

function scene(rooms: readonly StoredRoom[], farewells: readonly number[] = []) {
  const position = () => Math.max(...rooms.map(({ lastPosition }) => lastPosition));
  const unsentRooms = async (_server: string, after: number, lookedUpTo: number, limit: number) => {
    const looked = rooms
      .filter(({ lastPosition }) => lastPosition > Math.max(after, lookedUpTo))
      .toSorted((a, b) => a.lastPosition - b.lastPosition)
      .slice(0, limit);
    return {
      rooms: looked
        .filter(({ sentPosition }) => sentPosition > after)
        .map(({ sentPosition }) => ({ roomNid: 1, eventNid: sentPosition, position: sentPosition })),
      lookedUpTo: looked.length < limit ? null : (looked.at(-1)?.lastPosition ?? null),
    };
  };
  const parts = { store: { unsentRooms }, routedUpTo: position };
  return new OwedEvents("away.test" as ServerName, { sentUpTo: 0, farewells }, true, parts);
}

async function takeAll(events: OwedEvents): Promise<number[]> {
  const taken: number[] = [];
  while (events.hasAny) {
    taken.push(...(await events.take()).map(({ eventNid }) => eventNid));
    events.sent();
  }
  return taken;
}

t.test("what is missing in many rooms is all sent, though others have spoken in some since", async (t) => {
  const rooms = Array.from({ length: 120 }, (_, index) => ({
    lastPosition: index + 1,
    sentPosition: index + 1,
  }));
  const [first] = rooms;
  if (first) first.lastPosition = 1_000;
  const events = scene(rooms);
  t.same(
    (await takeAll(events)).toSorted((a, b) => a - b),
    rooms.map(({ sentPosition }) => sentPosition),
  );
  t.equal(events.sentUpTo(false), 1_000);
});

t.test("nothing counts as sent until all rooms have been looked at", async (t) => {
  const events = scene(
    Array.from({ length: 120 }, (_, index) => ({ lastPosition: index + 1, sentPosition: index + 1 })),
  );
  await events.take();
  events.sent();
  t.equal(events.sentUpTo(false), 0, "so that it begins anew after a crash");
  const again = (await events.take()).map(({ eventNid }) => eventNid);
  t.equal(again[0], 51);
  events.notSent();
  t.same(
    (await events.take()).map(({ eventNid }) => eventNid),
    again,
    "and not from the beginning when only the way is broken",
  );
});

t.test("what is said to a server last is kept while it cannot be sent, the newest of it", async (t) => {
  const events = scene([{ lastPosition: 1, sentPosition: 0 }]);
  for (let eventNid = 1; eventNid <= 600; eventNid++) {
    events.add({ eventNid, position: eventNid, isFarewell: true }, false);
  }
  const first = (await events.take()).map(({ eventNid }) => eventNid);
  t.equal(first[0], 101);
  events.notSent();
  const all = await takeAll(events);
  t.equal(new Set(all).size, 500);
  t.ok(first.every((eventNid) => all.includes(eventNid)));
});

t.test("what is said to a server last is kept over a restart", async (t) => {
  const rooms = [{ lastPosition: 1, sentPosition: 0 }];
  const before = scene(rooms);
  before.add({ eventNid: 7, position: 7, isFarewell: true }, false);
  before.add({ eventNid: 8, position: 8 }, false);
  t.same(before.farewells, [7]);
  t.same(
    (await before.take()).map(({ eventNid }) => eventNid),
    [7],
  );
  t.same(before.farewells, [7], "until it has been sent");
  const after = scene(rooms, before.farewells);
  t.same(await takeAll(after), [7]);
  t.same(after.farewells, []);
});
