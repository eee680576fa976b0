import t from "tap";
import { patienceMs, until } from "../../../spec-tests/support/within.ts";
import type { Receipt, ReceivedEvent } from "../../ingest/received-event.ts";
import type { RoomId } from "../../protocol/identifiers.ts";
import { rulesOfVersion } from "../../protocol/testing/room-version.ts";
import type { Room, RoomIndex } from "../../state/room-index.ts";
import type { FederationInboxStore, InboxEvent, InboxRow } from "../../storage/federation-inbox.ts";
import { systemClock } from "../../telemetry/clock.ts";
import { createLogTo } from "../../telemetry/log.ts";
import type { EventCompletion } from "./event-completion.ts";
import { RoomInboxes, type RoomInboxesParts } from "./room-inboxes.ts";

function memoryStore() {
  let rows: InboxRow[] = [];
  let inboxNid = 0;
  const store: FederationInboxStore = {
    async add(events) {
      for (const event of events) rows.push({ ...event, inboxNid: ++inboxNid });
      return [];
    },
    next: async (lane, after, limit) =>
      rows
        .filter(({ roomNid, origin }) => roomNid === lane.roomNid && origin === lane.origin)
        .filter((row) => row.inboxNid > after)
        .slice(0, limit),
    async remove(nids) {
      rows = rows.filter((row) => !nids.includes(row.inboxNid));
    },
    lanes: async () => rows,
  };
  return { store, left: () => rows.length };
}

function pduFrom(server: string, body: string): string {
  return JSON.stringify({
    auth_events: [],
    content: { body },
    depth: 1,
    hashes: { sha256: "" },
    origin_server_ts: 1,
    prev_events: [],
    room_id: "!room:a.test",
    sender: `@user:${server}`,
    signatures: {},
    type: "m.room.message",
  });
}

function waiting(roomNid: number, origin: string, body: string): InboxEvent {
  return {
    roomNid,
    origin,
    eventId: `$${roomNid} ${origin} ${body}`,
    pdu: pduFrom(origin, body),
    receivedTs: 1,
  };
}

const wholeRooms = { has: () => false, whole: () => Promise.resolve() };

function scene(partialRooms: RoomInboxesParts["partialRooms"] = wholeRooms) {
  const slow = Promise.withResolvers<void>();
  const judged: string[] = [];
  const accepted: string[] = [];
  const waits: string[] = [];
  const completion = {
    async receive(room: Room, origin: string, events: readonly ReceivedEvent[]): Promise<Receipt[]> {
      if (origin.startsWith("slow")) {
        waits.push(`${room.roomNid} ${origin}`);
        await slow.promise;
      }
      judged.push(...events.map((one) => one.event.eventId));
      return events.map(({ event: { eventId } }) => {
        const isStuck = eventId.includes("stuck") && partialRooms.has(room.roomNid);
        return { eventId, verdict: isStuck ? "incomplete" : "accepted" };
      });
    },
  };
  const { store, left } = memoryStore();
  const version = rulesOfVersion("11");
  const inboxes = new RoomInboxes({
    store,
    rooms: {
      byNid: async (roomNid: number) => ({ roomNid, roomId: "!room:a.test" as RoomId, version }),
    } as unknown as RoomIndex,
    completion: completion as unknown as EventCompletion,
    partialRooms,
    accepted: async ({ eventId }) => void accepted.push(eventId),
    clock: systemClock,
    log: createLogTo(process.stderr, "fatal"),
  });
  return { inboxes, judged, accepted, waits, left, release: slow.resolve };
}

t.test("a slow server delays neither other servers in the same room nor other rooms", async (t) => {
  const { inboxes, judged, waits, left, release } = scene();
  // Many slow servers with many rooms each: none of them takes more than its share of the places.
  const slow = Array.from({ length: 20 }, (_, server) =>
    Array.from({ length: 30 }, (__, room) => waiting(room, `slow${server}.test`, "waits")),
  ).flat();
  await inboxes.add(slow);
  await until(patienceMs, "the slow servers to have all their places", () => waits.length >= 160);
  await inboxes.add([
    waiting(0, "quick.test", "one"),
    waiting(99, "quick.test", "two"),
    waiting(0, "quick.test", "three"),
  ]);
  await until(patienceMs, "the quick server's events", () => judged.length === 3);
  t.same(judged.toSorted(), ["$0 quick.test one", "$0 quick.test three", "$99 quick.test two"]);
  t.equal(waits.length, 160, "eight places for each of twenty servers");
  release();
  await until(patienceMs, "nothing to be left", () => left() === 0);
  t.equal(left(), 0, "they are judged in the end");
  t.equal(judged.length, 603);
  await inboxes[Symbol.asyncDispose]();
});

t.test("who sends faster than events are judged waits for the answer", async (t) => {
  const { inboxes, judged, release } = scene();
  const events = Array.from({ length: 300 }, (_, index) => waiting(1, "slow.test", String(index)));
  let isAnswered = false;
  await inboxes.add(events);
  const answer = inboxes.relieved(events).then(() => (isAnswered = true));
  await inboxes.add([waiting(1, "quick.test", "one")]);
  await until(patienceMs, "the quick server's event", () => judged.length === 1);
  t.notOk(isAnswered, "300 events wait");
  release();
  await answer;
  t.ok(judged.length > 50);
  await inboxes[Symbol.asyncDispose]();
});

t.test("what one server sends of one room stays in order", async (t) => {
  const { inboxes, judged, accepted } = scene();
  const events = Array.from({ length: 130 }, (_, index) => waiting(1, "quick.test", String(index)));
  await Promise.all([inboxes.add(events.slice(0, 70)), inboxes.add(events.slice(70))]);
  await until(patienceMs, "all to be judged", () => judged.length === 130);
  t.same(
    judged,
    events.map(({ eventId }) => eventId),
  );
  await inboxes[Symbol.asyncDispose]();
  t.same(accepted, judged);
});

t.test(
  "what cannot be used before a room's members are known is tried again then, and holds nothing up",
  async (t) => {
    const whole = Promise.withResolvers<void>();
    let isPartial = true;
    const { inboxes, judged, left } = scene({ has: () => isPartial, whole: () => whole.promise });
    const event = (body: string) => waiting(1, "quick.test", body);
    const idOf = (body: string) => `$1 quick.test ${body}`;
    await inboxes.add([event("one"), event("stuck"), event("two")]);
    await until(patienceMs, "the rest to be judged", () => left() === 1);
    await inboxes.add([event("three"), event("stuck too"), event("four")]);
    await until(patienceMs, "the rest to be judged again", () => left() === 2);
    t.same(judged, ["one", "stuck", "two", "three", "stuck too", "four"].map(idOf), "each is judged once");
    isPartial = false;
    whole.resolve();
    await until(patienceMs, "nothing to be left", () => left() === 0);
    t.same(judged.slice(6), ["stuck", "stuck too"].map(idOf));
    await inboxes[Symbol.asyncDispose]();
    t.equal(left(), 0);
  },
);
