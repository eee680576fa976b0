import t from "tap";
import { roomVersion } from "../protocol/room-versions.ts";
import type { EventStore, StoredEvent } from "../storage/events.ts";
import { EventReader } from "./event-reader.ts";
import type { Room, RoomIndex } from "./room-index.ts";

const version = roomVersion("11");

function stored(eventNid: number, body = `message ${eventNid}`): StoredEvent {
  return {
    eventNid,
    eventId: `$${eventNid}`,
    roomNid: 1,
    position: eventNid,
    typeNid: 1,
    pairNid: null,
    senderNid: 1,
    depth: eventNid,
    originServerTs: eventNid,
    stateBefore: 1,
    stateAfter: 1,
    roomState: null,
    flags: 0,
    redactedBy: null,
    delayId: null,
    replaces: null,
    common: `"content":{"body":"${body}"},"origin_server_ts":1,"sender":"@alice:hearth.test","type":"m.room.message"`,
    federation: `"auth_events":[],"depth":1,"hashes":{"sha256":""},"prev_events":[],"room_id":"!r","signatures":{}`,
  };
}

/** A reader of a room with the events 1 to 9, and what it asks storage for. */
function setUp() {
  const reads: (number | number[])[] = [];
  const state = { body: "first" };
  const read = (nid: number) => (nid < 10 ? stored(nid, `${state.body} ${nid}`) : undefined);
  const store = {
    async byNid(nid: number) {
      reads.push(nid);
      return read(nid);
    },
    async byNids(nids: readonly number[]) {
      reads.push([...nids]);
      return nids.flatMap((nid) => read(nid) ?? []);
    },
  };
  const rooms = { byNid: async () => ({ roomNid: 1, roomId: "!r", version }) as Room };
  const reader = new EventReader(
    store as Partial<EventStore> as EventStore,
    rooms as Partial<RoomIndex> as RoomIndex,
  );
  return { reader, reads, state };
}

const bodies = (events: readonly { readonly content: object }[]) =>
  events.map(({ content }) => ("body" in content ? content.body : undefined));

t.test("many events are read together, in the order asked for, and once", async (t) => {
  const { reader, reads } = setUp();
  t.same(bodies(await reader.roomEvents([3, 1, 2])), ["first 3", "first 1", "first 2"]);
  t.same(bodies([await reader.roomEvent(2)]), ["first 2"]);
  t.same(bodies(await reader.roomEvents([1, 4])), ["first 1", "first 4"]);
  t.equal((await reader.stored(4)).eventId, "$4");
  t.same(reads, [[3, 1, 2], [4]]);
  await t.rejects(reader.roomEvents([10]), { message: "event 10 is missing" });
  await t.rejects(reader.stored(11), { message: "event 11 is missing" });
});

t.test("of very many events nothing is kept, and what was kept before is not read again", async (t) => {
  const { reader, reads } = setUp();
  await reader.stored(2);
  t.same(
    (await reader.storedOnce([3, 2, 1])).map(({ eventId }) => eventId),
    ["$3", "$2", "$1"],
  );
  t.same(bodies(await reader.roomEventsOnce([2, 1])), ["first 2", "first 1"]);
  t.same(reads, [2, [3, 1], [1]]);
  await t.rejects(reader.storedOnce([10]), { message: "event 10 is missing" });
});

t.test("an event that has been redacted is read anew, and not kept by whoever was reading it", async (t) => {
  const { reader, state } = setUp();
  t.same(bodies([await reader.roomEvent(1)]), ["first 1"]);
  const reading = Promise.all([reader.stored(2), reader.storedAll([3])]);
  state.body = "redacted";
  for (const nid of [1, 2, 3]) reader.forget(nid);
  await reading;
  t.same(bodies(await reader.roomEvents([1, 2, 3])), ["redacted 1", "redacted 2", "redacted 3"]);
});

t.test(
  "an event can be read from its announcement on, and no longer when it could not be stored",
  async (t) => {
    const { reader, reads } = setUp();
    const [event] = await reader.roomEvents([1]);
    if (!event) throw new Error("there is no event");
    reads.length = 0;
    reader.announce(20, event);
    t.same(await reader.roomEvents([20]), [event]);
    reader.settled(20, undefined);
    await t.rejects(reader.roomEvent(20), { message: "event 20 is missing" });
    reader.announce(21, event);
    reader.settled(21, stored(21));
    t.equal((await reader.stored(21)).eventId, "$21");
    t.same(reads, [20]);
  },
);
