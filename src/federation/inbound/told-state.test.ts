import t from "tap";
import type { Receipt, ReceivedEvent } from "../../ingest/received-event.ts";
import type { RoomOutliers } from "../../ingest/room-outliers.ts";
import type { EventId, RoomId, ServerName } from "../../protocol/identifiers.ts";
import { rulesOfVersion } from "../../protocol/testing/room-version.ts";
import type { Room } from "../../state/room-index.ts";
import { systemClock } from "../../telemetry/clock.ts";
import { Pace } from "../../telemetry/pace.ts";
import type { StoredEvent } from "../../storage/events.ts";
import { FederationError } from "../federation-client.ts";
import type { RoomRequests } from "../requests/room-requests.ts";
import { checkedEventOf } from "./checked-text.ts";
import type { PduChecks } from "./pdu-checks.ts";
import { signedTestPdu } from "../../protocol/testing/test-pdu.ts";
import { ToldStates, type ToldStatesParts, ToldStateError } from "./told-state.ts";
import { eventId as idOf } from "../../protocol/event-hash.ts";

const version = rulesOfVersion("11");
const room: Room = { roomNid: 1, roomId: "!r:domain" as RoomId, version };
const server = "domain" as ServerName;

function stateEvent(stateKey: string) {
  const pdu = signedTestPdu(version, { type: "org.example.state", state_key: stateKey, auth_events: [] });
  return { pdu, id: idOf(version, pdu) };
}

const [name, prev] = [stateEvent("name"), stateEvent("prev")];

/** A server that tells a state of some events and gives the events that it has. */
function scene(stateIds: readonly EventId[], has: ReadonlyMap<EventId, unknown>) {
  const stored = new Map<string, number>();
  const store = async (_room: Room, events: readonly ReceivedEvent[]): Promise<Receipt[]> =>
    events.map(({ event: { eventId } }) => {
      stored.set(eventId, stored.size + 1);
      return { eventId, verdict: "accepted" };
    });
  const requests = {
    stateIds: async () => ({ stateIds, authChainIds: [] }),
    event: async (_server: ServerName, id: EventId) => {
      const pdu = has.get(id);
      if (pdu !== undefined) return pdu;
      throw new FederationError("refused", "It has no such event", { status: 404 });
    },
  };
  return new ToldStates({
    requests: requests as unknown as RoomRequests,
    checks: {
      checkOrDrop: async (_version: unknown, pdu: unknown) =>
        checkedEventOf(version, JSON.stringify(pdu), idOf(version, pdu as typeof prev.pdu)),
    } as unknown as PduChecks,
    outliers: { store } as unknown as RoomOutliers,
    names: {} as ToldStatesParts["names"],
    pace: new Pace(systemClock),
    eventStore: {
      nidsOf: async (ids) =>
        ids.flatMap((eventId) => {
          const eventNid = stored.get(eventId);
          return eventNid === undefined ? [] : [{ eventId, eventNid }];
        }),
      stateEntries: async (ids) =>
        ids.flatMap((eventId) => {
          const eventNid = stored.get(eventId);
          return eventNid === undefined ? [] : [{ eventId, eventNid, pairNid: 10 + eventNid, roomNid: 1 }];
        }),
    },
    events: {
      storedAll: async (nids) =>
        nids.map((nid) => ({ eventNid: nid, pairNid: 10 + nid, roomNid: 1, flags: 0 }) as StoredEvent),
    },
  });
}

t.test("the state after an event is that before it, with the event itself", async (t) => {
  const toldStates = scene([name.id], new Map([name, prev].map(({ id, pdu }) => [id, pdu])));
  t.same(
    [...(await toldStates.after(room, prev.id, server))],
    [
      [11, 1],
      [12, 2],
    ],
  );
});

t.test("a state of which something is not to be had is none", async (t) => {
  await t.rejects(
    scene([name.id], new Map([[prev.id, prev.pdu]])).after(room, prev.id, server),
    ToldStateError,
  );
  await t.rejects(
    scene([name.id], new Map([[name.id, name.pdu]])).after(room, prev.id, server),
    ToldStateError,
  );
});
