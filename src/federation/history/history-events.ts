import type { ReceivedEvent } from "../../ingest/received-event.ts";
import type { EventId, ServerName } from "../../protocol/identifiers.ts";
import type { JsonValue } from "../../protocol/json.ts";
import type { EventReader } from "../../state/event-reader.ts";
import type { Room } from "../../state/room-index.ts";
import type { StateMap } from "../../state/state-snapshots.ts";
import type { EventStore } from "../../storage/events.ts";
import type { PduChecks } from "../inbound/pdu-checks.ts";
import { type ToldStates, ToldStateError } from "../inbound/told-state.ts";
import { requestedEvents } from "./requested-events.ts";

export interface HistoryEventsParts {
  readonly checks: Pick<PduChecks, "checkOrDrop">;
  readonly toldStates: Pick<ToldStates, "before" | "authChain">;
  readonly eventStore: Pick<EventStore, "nidsOf">;
  readonly events: Pick<EventReader, "storedAll">;
}

/**
 * "The response of backfill MUST NOT be validated on these specific restrictions" (server-server API, "Backfilling and
 * retrieving missing events"). An event's size limits how many it refers to.
 */
const oldLimits = { prevEvents: Number.MAX_SAFE_INTEGER, authEvents: Number.MAX_SAFE_INTEGER };
/** Events of one answer with nothing before them: each asks for a whole state. */
const maxToldStates = 4;
const maxAuthChains = 4;

/** Makes old events of a room ready for its graph, with what has to be got from the server that has sent them. */
export class HistoryEvents {
  readonly #parts: HistoryEventsParts;

  constructor(parts: HistoryEventsParts) {
    this.#parts = parts;
  }

  /**
   * @param asked the newest of the events that were asked for
   * @param pdus the server's answer
   * @returns what of it was asked for and can be judged, each event after those that it follows
   * @throws FederationError
   * @throws ToldStateError
   */
  async complete(
    room: Room,
    server: ServerName,
    asked: readonly EventId[],
    pdus: readonly JsonValue[],
  ): Promise<readonly ReceivedEvent[]> {
    const { checks } = this.#parts;
    const checked = await Promise.all(
      pdus.map((pdu) => checks.checkOrDrop(room.version, pdu, room.roomId, oldLimits)),
    );
    const requested = requestedEvents(
      asked,
      checked.filter((received) => received !== undefined),
    );
    const placed = await this.placed(
      room,
      requested.flatMap(({ event }) => [event.eventId, ...event.prevEventIds]),
    );
    const fresh = requested.filter(({ event }) => !placed.has(event.eventId));
    const complete = await this.#withStates(room, server, fresh, placed);
    await this.#fetchAuthChains(room, server, complete);
    return complete;
  }

  /** Those of some events that have their place in the room's graph. */
  async placed(room: Room, eventIds: readonly EventId[]): Promise<Set<EventId>> {
    const known = await this.#parts.eventStore.nidsOf([...new Set(eventIds)]);
    const stored = await this.#parts.events.storedAll(known.map(({ eventNid }) => eventNid));
    const placed = stored.filter(
      ({ roomNid, stateAfter }) => roomNid === room.roomNid && stateAfter !== null,
    );
    return new Set(placed.map(({ eventId }) => eventId as EventId));
  }

  /** Gives the state to those events that follow missing ones. */
  async #withStates(
    room: Room,
    server: ServerName,
    events: readonly ReceivedEvent[],
    placed: Set<EventId>,
  ): Promise<ReceivedEvent[]> {
    const complete: ReceivedEvent[] = [];
    let told = 0;
    for (const received of events) {
      const { eventId, prevEventIds } = received.event;
      const isWhole = prevEventIds.every((id) => placed.has(id));
      if (!isWhole && told++ >= maxToldStates) continue;
      const toldStates = isWhole ? undefined : [await this.#stateBefore(room, server, eventId)];
      complete.push({ ...received, toldStates });
      placed.add(eventId);
    }
    return complete;
  }

  async #stateBefore(room: Room, server: ServerName, eventId: EventId): Promise<StateMap> {
    const state = await this.#parts.toldStates.before(room, eventId, server);
    if (state.size > 0) return state;
    // Nothing would allow anything there.
    throw new ToldStateError(`${server} tells of no state before ${eventId}`);
  }

  async #fetchAuthChains(room: Room, server: ServerName, events: readonly ReceivedEvent[]): Promise<void> {
    const among = new Set(events.map(({ event }) => event.eventId));
    const ids = [...new Set(events.flatMap(({ event }) => event.authEventIds))];
    const known = new Set((await this.#parts.eventStore.nidsOf(ids)).map(({ eventId }) => eventId));
    const lacking = events.filter(({ event }) =>
      event.authEventIds.some((id) => !among.has(id) && !known.has(id)),
    );
    for (const { event } of lacking.slice(0, maxAuthChains)) {
      await this.#parts.toldStates.authChain(room, event.eventId, server);
    }
  }
}
