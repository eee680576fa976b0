import t from "tap";
import type { ServerName } from "../../protocol/identifiers.ts";
import { OwedEvents } from "./owed-events.ts";

/** A room as storage sees it: where the newest event is, and the newest of those that this server has sent. */
interface StoredRoom {
  lastPosition: number;
  sentPosition: number;
}

function scene(rooms: readonly StoredRoom[]) {
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
  const farewells = { farewells: async () => [], removeFarewells: async () => undefined };
  const parts = { store: { unsentRooms, ...farewells }, routedUpTo: position };
  const waiting = { isBehind: true, hasFarewells: false };
  return new OwedEvents("away.test" as ServerName, 0, waiting, parts);
}

async function takeAll(events: OwedEvents): Promise<number[]> {
  const taken: number[] = [];
  while (events.hasAny) {
    taken.push(...(await events.take()));
    await events.sent();
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
  await events.sent();
  t.equal(events.sentUpTo(false), 0, "so that it begins anew after a crash");
  const again = await events.take();
  t.equal(again[0], 51);
  events.notSent();
  t.same(await events.take(), again, "and not from the beginning when only the way is broken");
});
