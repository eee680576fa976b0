import type { EventId, ServerName } from "../../protocol/identifiers.ts";
import type { JsonValue } from "../../protocol/json.ts";
import type { EventReader } from "../../state/event-reader.ts";
import type { Room } from "../../state/room-index.ts";
import type { StateMap } from "../../state/state-snapshots.ts";
import { eventFlags, type EventStore } from "../../storage/events.ts";
import { FederationError } from "../federation-client.ts";
import type { RoomRequests } from "../requests/room-requests.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import { ToldEvents, type ToldEventsParts } from "./told-events.ts";

export interface ToldStatesParts extends ToldEventsParts {
  readonly requests: RoomRequests;
  readonly eventStore: Pick<EventStore, "nidsOf" | "stateEntries">;
  readonly events: Pick<EventReader, "storedAll">;
  readonly names: Pick<NameCache, "findEventType">;
}

/** So many events are looked up at a time. */
const chunkSize = 100;
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
      const told = this.begin(room);
      await this.#parts.requests.state(server, room.roomId, eventId, (list, texts) => told.take(list, texts));
      await told.store();
    } else {
      await this.storeAll(room, await this.#fetch(server, missing));
    }
    return this.stateOf(room, stateIds);
  }

  /**
   * The state after an event, likewise.
   * @throws FederationError
   * @throws ToldStateError
   */
  async after(room: Room, eventId: EventId, server: ServerName): Promise<StateMap> {
    const before = await this.before(room, eventId, server);
    if ((await this.#missing([eventId])).length > 0) {
      await this.storeAll(room, await this.#fetch(server, [eventId]));
    }
    const [known] = await this.#parts.eventStore.nidsOf([eventId]);
    if (!known) throw new ToldStateError(`${eventId} is not to be had`);
    const [stored] = await this.#parts.events.storedAll([known.eventNid]);
    if (stored?.roomNid !== room.roomNid) throw new ToldStateError(`${eventId} is not of the room`);
    if (stored.pairNid === null || stored.flags & eventFlags.rejected) return before;
    return new Map([...before, [stored.pairNid, stored.eventNid]]);
  }

  /** Gets the auth chain of an event that lacks some of it. @throws FederationError */
  async authChain(room: Room, eventId: EventId, server: ServerName): Promise<void> {
    await this.storeAll(room, await this.#parts.requests.authChain(server, room.roomId, eventId));
  }

  /** Stores those of some events that pass the checks on receipt, and whose auth events are here. */
  async storeAll(room: Room, pdus: readonly JsonValue[]): Promise<void> {
    const told = this.begin(room);
    await told.take("events", pdus);
    await told.store();
  }

  /** For events that come one after the other. */
  begin(room: Room): ToldEvents {
    return new ToldEvents(this.#parts, room);
  }

  /**
   * A state made of stored events.
   * @throws ToldStateError when one is missing, is no state event, or is of another room
   */
  async stateOf(room: Room, stateIds: readonly EventId[]): Promise<StateMap> {
    const state = new Map<number, number>();
    for (let start = 0; start < stateIds.length; start += chunkSize) {
      if (start > 0) await this.#parts.pace.breathe();
      const ids = stateIds.slice(start, start + chunkSize);
      const entries = await this.#parts.eventStore.stateEntries(ids);
      if (entries.length < new Set(ids).size)
        throw new ToldStateError("events of the state are not to be had");
      for (const { eventId, eventNid, pairNid, roomNid } of entries) {
        if (pairNid === null || roomNid !== room.roomNid) {
          throw new ToldStateError(`${eventId} is no state event of the room`);
        }
        state.set(pairNid, eventNid);
      }
    }
    return state;
  }

  /** The members of a room whose events are among some: by state pair. */
  async membersAmong(room: Room, eventIds: readonly EventId[]): Promise<StateMap> {
    const known = await this.#parts.eventStore.nidsOf(eventIds);
    const members = new Map<number, number>();
    for (const stored of await this.#parts.events.storedAll(known.map(({ eventNid }) => eventNid))) {
      const isMember = stored.typeNid === (await this.#parts.names.findEventType("m.room.member"));
      if (isMember && stored.pairNid !== null && stored.roomNid === room.roomNid) {
        members.set(stored.pairNid, stored.eventNid);
      }
    }
    return members;
  }

  async #missing(eventIds: readonly EventId[]): Promise<EventId[]> {
    const unique = [...new Set(eventIds)];
    const missing: EventId[] = [];
    for (let start = 0; start < unique.length; start += chunkSize) {
      if (start > 0) await this.#parts.pace.breathe();
      const ids = unique.slice(start, start + chunkSize);
      const known = new Set((await this.#parts.eventStore.nidsOf(ids)).map(({ eventId }) => eventId));
      missing.push(...ids.filter((id) => !known.has(id)));
    }
    return missing;
  }

  /** Those of some events that the server gives. @throws FederationError when it cannot be reached */
  async #fetch(server: ServerName, eventIds: readonly EventId[]): Promise<JsonValue[]> {
    const pdus: (JsonValue | undefined)[] = [];
    for (let start = 0; start < eventIds.length; start += eventsAtOnce) {
      const ids = eventIds.slice(start, start + eventsAtOnce);
      pdus.push(...(await Promise.all(ids.map((id) => this.#event(server, id)))));
    }
    return pdus.filter((pdu) => pdu !== undefined);
  }

  async #event(server: ServerName, eventId: EventId): Promise<JsonValue | undefined> {
    try {
      return await this.#parts.requests.event(server, eventId);
    } catch (error) {
      if (error instanceof FederationError && error.failure === "refused") return undefined;
      throw error;
    }
  }
}
