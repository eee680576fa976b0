import t from "tap";
import type { Receipt, ReceivedEvent } from "../../ingest/received-event.ts";
import type { RoomOutliers } from "../../ingest/room-outliers.ts";
import type { RoomId } from "../../protocol/identifiers.ts";
import type { JsonValue } from "../../protocol/json.ts";
import { rulesOfVersion } from "../../protocol/testing/room-version.ts";
import type { Room } from "../../state/room-index.ts";
import type { RoomRequests } from "../requests/room-requests.ts";
import type { PduChecks } from "./pdu-checks.ts";
import { ToldStates } from "./told-state.ts";

const room: Room = { roomNid: 1, roomId: "!room:a.test" as RoomId, version: rulesOfVersion("11") };

/** An event as its ID and those that it rests on; one whose ID says so has a wrong signature. */
function pdu(eventId: string, ...authEventIds: string[]): JsonValue {
  return { eventId, authEventIds };
}

function scene(): ToldStates {
  const stored = new Set<string>();
  const store = async (_room: Room, events: readonly ReceivedEvent[]): Promise<Receipt[]> =>
    events.map(({ event: { eventId, authEventIds } }) => {
      if (!authEventIds.every((id) => stored.has(id))) return { eventId, verdict: "incomplete" };
      stored.add(eventId);
      return { eventId, verdict: "accepted" };
    });
  const check = async (_version: unknown, value: JsonValue): Promise<ReceivedEvent | undefined> => {
    const received = { event: value } as unknown as ReceivedEvent;
    return received.event.eventId.includes("forged") ? undefined : received;
  };
  return new ToldStates({
    requests: {} as RoomRequests,
    checks: { checkOrDrop: check } as unknown as PduChecks,
    outliers: { store } as unknown as RoomOutliers,
    eventStore: { nidsOf: async () => [] },
    events: { storedAll: async () => [] },
  });
}

t.test("what is forged is left out, and so is what rests on it: the rest of the state counts", async (t) => {
  const told = [
    pdu("$member", "$create", "$forged"),
    pdu("$forged"),
    pdu("$name", "$create"),
    pdu("$create"),
  ];
  t.same(await scene().storeAll(room, told), [undefined, undefined, "$name", "$create"]);
});

t.test("events that rest on each other in a circle are left out", async (t) => {
  const told = [pdu("$create"), pdu("$a", "$b"), pdu("$b", "$a")];
  t.same(await scene().storeAll(room, told), ["$create", undefined, undefined]);
});
