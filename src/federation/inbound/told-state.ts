import type { ReceivedEvent } from "../../ingest/received-event.ts";
import type { RoomOutliers } from "../../ingest/room-outliers.ts";
import type { EventId, ServerName } from "../../protocol/identifiers.ts";
import type { JsonValue } from "../../protocol/json.ts";
import type { EventReader } from "../../state/event-reader.ts";
import type { Room } from "../../state/room-index.ts";
import type { StateMap } from "../../state/state-snapshots.ts";
import type { EventStore } from "../../storage/events.ts";
import type { RoomRequests } from "../requests/room-requests.ts";
import { inAuthOrder } from "./auth-order.ts";
import type { PduChecks } from "./pdu-checks.ts";

export interface ToldStatesParts {
  readonly requests: RoomRequests;
  readonly checks: PduChecks;
  readonly outliers: RoomOutliers;
  readonly eventStore: Pick<EventStore, "nidsOf">;
  readonly events: Pick<EventReader, "storedAll">;
}

/** So many events are checked, stored or looked up at a time. */
const chunkSize = 500;
/** More missing events than this are not asked for one by one. */
const maxSingleEvents = 50;
const eventsAtOnce = 5;

/** A state that another server tells cannot be used: some of it is not to be had, or is not of this room. */
export class ToldStateError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ToldStateError";
  }
}

/** Gets states of rooms, and what they rest on, from other servers. */
export class ToldStates {
  readonly #parts: ToldStatesParts;

  constructor(parts: ToldStatesParts) {
    this.#parts = parts;
  }

  /**
   * The state before an event as a server that knows the event tells it. Its events are stored afterwards.
   * @throws FederationError
   * @throws ToldStateError
   */
  async before(room: Room, eventId: EventId, server: ServerName): Promise<StateMap> {
    const { stateIds, authChainIds } = await this.#parts.requests.stateIds(server, room.roomId, eventId);
    const missing = await this.#missing([...stateIds, ...authChainIds]);
    if (missing.length > maxSingleEvents) {
      const { state, authChain } = await this.#parts.requests.state(server, room.roomId, eventId);
      await this.storeAll(room, [...authChain, ...state]);
    } else {
      await this.storeAll(room, await this.#fetch(server, missing));
    }
    return this.stateOf(room, stateIds);
  }

  /** Gets the auth chain of an event that lacks some of it. @throws FederationError */
  async authChain(room: Room, eventId: EventId, server: ServerName): Promise<void> {
    await this.storeAll(room, await this.#parts.requests.authChain(server, room.roomId, eventId));
  }

  /**
   * Stores those of some events that pass the checks on receipt, and whose auth events are here.
   * @returns their IDs in the same order; `undefined` for what is left out
   */
  async storeAll(room: Room, pdus: readonly JsonValue[]): Promise<(EventId | undefined)[]> {
    const { checks } = this.#parts;
    const all: (ReceivedEvent | undefined)[] = [];
    for (let start = 0; start < pdus.length; start += chunkSize) {
      const chunk = pdus.slice(start, start + chunkSize);
      const checked = await Promise.all(
        chunk.map((pdu) => checks.checkOrDrop(room.version, pdu, room.roomId)),
      );
      all.push(...checked);
    }
    const ordered = inAuthOrder(all.filter((received) => received !== undefined));
    const stored = new Set<EventId>();
    for (let start = 0; start < ordered.length; start += chunkSize) {
      const chunk = ordered.slice(start, start + chunkSize);
      for (const { eventId, verdict } of await this.#parts.outliers.store(room, chunk)) {
        if (verdict !== "incomplete") stored.add(eventId);
      }
    }
    const ids = all.map((received) => received?.event.eventId);
    return ids.map((id) => (id !== undefined && stored.has(id) ? id : undefined));
  }

  /**
   * A state made of stored events.
   * @throws ToldStateError when one is missing, is no state event, or is of another room
   */
  async stateOf(room: Room, stateIds: readonly EventId[]): Promise<StateMap> {
    const state = new Map<number, number>();
    for (let start = 0; start < stateIds.length; start += chunkSize) {
      const ids = stateIds.slice(start, start + chunkSize);
      const known = await this.#parts.eventStore.nidsOf(ids);
      if (known.length < new Set(ids).size) throw new ToldStateError("events of the state are not to be had");
      for (const stored of await this.#parts.events.storedAll(known.map(({ eventNid }) => eventNid))) {
        if (stored.pairNid === null || stored.roomNid !== room.roomNid) {
          throw new ToldStateError(`${stored.eventId} is no state event of the room`);
        }
        state.set(stored.pairNid, stored.eventNid);
      }
    }
    return state;
  }

  async #missing(eventIds: readonly EventId[]): Promise<EventId[]> {
    const unique = [...new Set(eventIds)];
    const missing: EventId[] = [];
    for (let start = 0; start < unique.length; start += chunkSize) {
      const ids = unique.slice(start, start + chunkSize);
      const known = new Set((await this.#parts.eventStore.nidsOf(ids)).map(({ eventId }) => eventId));
      missing.push(...ids.filter((id) => !known.has(id)));
    }
    return missing;
  }

  async #fetch(server: ServerName, eventIds: readonly EventId[]): Promise<JsonValue[]> {
    const pdus: JsonValue[] = [];
    for (let start = 0; start < eventIds.length; start += eventsAtOnce) {
      const ids = eventIds.slice(start, start + eventsAtOnce);
      pdus.push(...(await Promise.all(ids.map((id) => this.#parts.requests.event(server, id)))));
    }
    return pdus;
  }
}
