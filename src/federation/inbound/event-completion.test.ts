import t from "tap";
import type { Receipt, ReceivedEvent } from "../../ingest/received-event.ts";
import type { RoomReceiver } from "../../ingest/room-receiver.ts";
import type { RoomId, ServerName } from "../../protocol/identifiers.ts";
import { rulesOfVersion } from "../../protocol/testing/room-version.ts";
import type { Room } from "../../state/room-index.ts";
import { createLogTo } from "../../telemetry/log.ts";
import type { RoomRequests } from "../requests/room-requests.ts";
import { EventCompletion, type EventCompletionParts } from "./event-completion.ts";
import type { PduChecks } from "./pdu-checks.ts";
import type { ToldStates } from "./told-state.ts";

const room: Room = { roomNid: 1, roomId: "!room:a.test" as RoomId, version: rulesOfVersion("11") };
const origin = "a.test" as ServerName;

function event(eventId: string, depth = 1): ReceivedEvent {
  return { event: { eventId, depth } } as unknown as ReceivedEvent;
}

function scene(missing: readonly string[]) {
  const received: ReceivedEvent[] = [];
  let calls = 0;
  const receive = async (_room: Room, events: readonly ReceivedEvent[]): Promise<Receipt[]> => {
    calls += 1;
    if (missing.length > 0 && calls === 1)
      return events.map(({ event: { eventId } }) => ({ eventId, verdict: "incomplete" }));
    received.push(...events);
    return events.map(({ event: { eventId } }) => ({ eventId, verdict: "accepted" }));
  };
  const parts: EventCompletionParts = {
    receiver: { receive } as unknown as RoomReceiver,
    rooms: { extremities: async () => [] },
    requests: { missingEvents: async () => missing } as unknown as RoomRequests,
    checks: { checkOrDrop: async (_version: unknown, id: string) => event(id, 0) } as unknown as PduChecks,
    toldStates: {} as ToldStates,
    isWanted: async (_room, { event: { eventId } }) => !eventId.includes("spam"),
    log: createLogTo(process.stderr, "fatal"),
  };
  const took = () => received.map((one) => `${one.event.eventId}${one.isUnwanted ? " unwanted" : ""}`);
  return { completion: new EventCompletion(parts), took };
}

t.test("what the room's policy server does not want is taken as such", async (t) => {
  const { completion, took } = scene([]);
  await completion.receive(room, origin, [event("$ham"), event("$spam"), event("$egg")]);
  t.same(took(), ["$ham", "$spam unwanted", "$egg"]);
});

t.test("so are events that had to be fetched", async (t) => {
  const { completion, took } = scene(["$old spam"]);
  await completion.receive(room, origin, [event("$ham")]);
  t.same(took(), ["$old spam unwanted", "$ham"]);
});
