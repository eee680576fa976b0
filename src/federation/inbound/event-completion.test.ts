import t from "tap";
import type { Receipt, ReceivedEvent } from "../../ingest/received-event.ts";
import type { RoomReceiver } from "../../ingest/room-receiver.ts";
import type { EventId, RoomId, ServerName } from "../../protocol/identifiers.ts";
import { rulesOfVersion } from "../../protocol/testing/room-version.ts";
import type { Room } from "../../state/room-index.ts";
import type { StoredEvent } from "../../storage/events.ts";
import { systemClock } from "../../telemetry/clock.ts";
import { createLogTo } from "../../telemetry/log.ts";
import { FederationError } from "../federation-client.ts";
import type { RoomRequests } from "../requests/room-requests.ts";
import { EventCompletion, type EventCompletionParts } from "./event-completion.ts";
import type { PduChecks } from "./pdu-checks.ts";
import type { ToldStates } from "./told-state.ts";

const room: Room = { roomNid: 1, roomId: "!room:a.test" as RoomId, version: rulesOfVersion("11") };
const origin = "a.test" as ServerName;

function event(eventId: string, prevEventIds: readonly string[] = []): ReceivedEvent {
  return { event: { eventId, prevEventIds, depth: 1 } } as unknown as ReceivedEvent;
}

function incomplete({ eventId, prevEventIds }: ReceivedEvent["event"]): Receipt {
  return { eventId, verdict: "incomplete", missingPrev: prevEventIds };
}

function scene(missing: readonly string[]) {
  const received: ReceivedEvent[] = [];
  let calls = 0;
  const receive = async (_room: Room, events: readonly ReceivedEvent[]): Promise<Receipt[]> => {
    calls += 1;
    if (missing.length > 0 && calls === 1) return events.map((each) => incomplete(each.event));
    received.push(...events);
    return events.map(({ event: { eventId } }) => ({ eventId, verdict: "accepted" }));
  };
  const parts: EventCompletionParts = {
    receiver: { receive } as unknown as RoomReceiver,
    rooms: { extremities: async () => [] },
    events: { byId: async () => undefined },
    requests: { missingEvents: async () => missing } as unknown as RoomRequests,
    checks: { checkOrDrop: async (_version: unknown, id: string) => event(id) } as unknown as PduChecks,
    toldStates: {} as ToldStates,
    clock: systemClock,
    isWanted: async (_room, { event: { eventId } }) => !eventId.includes("spam"),
    log: createLogTo(process.stderr, "fatal"),
  };
  const took = () => received.map((one) => `${one.event.eventId}${one.isUnwanted ? " unwanted" : ""}`);
  return { completion: new EventCompletion(parts), took, parts };
}

t.test("what the room's policy server does not want is taken as such", async (t) => {
  const { completion, took } = scene([]);
  await completion.receive(room, origin, [event("$ham"), event("$spam"), event("$egg")]);
  t.same(took(), ["$ham", "$spam unwanted", "$egg"]);
});

t.test("so are events that had to be fetched", async (t) => {
  const { completion, took } = scene(["$old spam"]);
  await completion.receive(room, origin, [event("$ham", ["$old spam"])]);
  t.same(took(), ["$old spam unwanted", "$ham"]);
});

t.test("events that nobody has asked for are left out", async (t) => {
  const { completion, took } = scene(["$unasked", "$before"]);
  await completion.receive(room, origin, [event("$ham", ["$before"])]);
  t.same(took(), ["$before", "$ham"]);
});

t.test("what lies before events that are here already is not gone into", async (t) => {
  const { parts, took } = scene(["$older", "$here", "$before"]);
  const prevs: Readonly<Record<string, string[]>> = { $before: ["$here"], $here: ["$older"] };
  const here = { roomNid: room.roomNid, stateAfter: 1 } as StoredEvent;
  const completion = new EventCompletion({
    ...parts,
    events: { byId: async (eventId) => (eventId === "$here" ? here : undefined) },
    checks: {
      checkOrDrop: async (_version: unknown, id: string) => event(id, prevs[id]),
    } as unknown as PduChecks,
  });
  await completion.receive(room, origin, [event("$ham", ["$before"])]);
  t.same(took(), ["$before", "$ham"]);
});

t.test("what another server has sent while this one was asked is not missed in its answer", async (t) => {
  const { parts, took } = scene(["$both know", "$before"]);
  const here = { roomNid: room.roomNid, stateAfter: 1 } as StoredEvent;
  const completion = new EventCompletion({
    ...parts,
    events: { byId: async (eventId) => (eventId === "$both know" ? here : undefined) },
  });
  const receipts = await completion.receive(room, origin, [event("$ham", ["$both know", "$before"])]);
  t.match(receipts, [{ eventId: "$ham", verdict: "accepted" }]);
  t.same(took(), ["$before", "$ham"]);
});

t.test("a flood of events that follow unknown ones asks for no more than a bounded number", async (t) => {
  let asked = 0;
  const requests = {
    missingEvents: async () => {
      asked += 1;
      return ["$unknown"];
    },
  };
  const receive = async (_room: Room, events: readonly ReceivedEvent[]): Promise<Receipt[]> =>
    events.map((each) => incomplete(each.event));
  let states = 0;
  const completion = new EventCompletion({
    ...scene([]).parts,
    receiver: { receive } as unknown as RoomReceiver,
    requests: requests as unknown as RoomRequests,
    toldStates: { after: async () => (states++, new Map()) } as unknown as ToldStates,
  });
  const flood = Array.from({ length: 50 }, (_, index) => event(`$${index}`, ["$unknown"]));
  for (let round = 0; round < 10; round++) {
    const receipts = await completion.receive(room, origin, flood);
    t.equal(receipts.length, 50);
  }
  t.ok(asked >= 100 && asked < 150, `${asked} requests for 500 events`);
  t.ok(states >= 20 && states < 30, `${states} states`);
  const before = states;
  await completion.receive(room, "b.test" as ServerName, flood.slice(0, 1));
  t.equal(states, before + 1, "another server is not held to account for it");
});

t.test("what an event follows has to be told by its server: no state is asked for otherwise", async (t) => {
  const { completion, took } = scene(["$another"]);
  const receipts = await completion.receive(room, origin, [event("$ham", ["$another", "$no event"])]);
  t.match(receipts, [{ verdict: "incomplete", reason: /does not tell/ }]);
  t.same(took(), []);
});

t.test(
  "where a server does not have what an event follows, the state before the event is asked for",
  async (t) => {
    const asked: string[] = [];
    const receive = async (_room: Room, events: readonly ReceivedEvent[]): Promise<Receipt[]> =>
      events.map((each) => {
        const lacks = each.event.prevEventIds.length > 0 && each.toldStates === undefined;
        return lacks ? incomplete(each.event) : { eventId: each.event.eventId, verdict: "accepted" };
      });
    const refusal = { status: 404, errcode: "M_NOT_FOUND" };
    const completion = new EventCompletion({
      ...scene(["$first own"]).parts,
      receiver: { receive } as unknown as RoomReceiver,
      checks: {
        checkOrDrop: async (_version: unknown, id: string) => event(id, ["$before its join"]),
      } as unknown as PduChecks,
      toldStates: {
        after: async (_room: Room, eventId: string) => {
          asked.push(`after ${eventId}`);
          if (eventId === "$before its join") throw new FederationError("refused", "not found", refusal);
          return new Map();
        },
        before: async (_room: Room, eventId: string) => (asked.push(`before ${eventId}`), new Map()),
      } as unknown as ToldStates,
    });
    t.match(await completion.receive(room, origin, [event("$ham", ["$first own"])]), [
      { eventId: "$ham", verdict: "accepted" },
    ]);
    t.same(asked.slice(0, 2), ["after $before its join", "before $first own"]);
  },
);

t.test("an event that lacks nothing but what it rests on is not asked about further back", async (t) => {
  const asked: string[] = [];
  let isThere = false;
  const receive = async (_room: Room, events: readonly ReceivedEvent[]): Promise<Receipt[]> =>
    events.map(({ event: { eventId } }) =>
      isThere
        ? { eventId, verdict: "accepted" }
        : { eventId, verdict: "incomplete", missingPrev: [], missingAuth: ["$auth" as EventId] },
    );
  const completion = new EventCompletion({
    ...scene([]).parts,
    receiver: { receive } as unknown as RoomReceiver,
    requests: { missingEvents: async () => asked.push("missing events") } as unknown as RoomRequests,
    toldStates: {
      authChain: async () => {
        asked.push("auth chain");
        isThere = true;
      },
    } as unknown as ToldStates,
  });
  t.match(await completion.receive(room, origin, [event("$ham")]), [{ verdict: "accepted" }]);
  t.same(asked, ["auth chain"]);
});
