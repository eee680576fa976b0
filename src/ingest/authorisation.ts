import { authEventTypesFor } from "../protocol/auth/auth-event-types.ts";
import { authStateOf, type AuthState } from "../protocol/auth/auth-state.ts";
import { authorise } from "../protocol/auth/authorise.ts";
import { authoriseStateless, type ReferencedEvent } from "../protocol/auth/authorise-stateless.ts";
import type { AuthRejection } from "../protocol/auth/rejection.ts";
import { longKeyFault } from "../protocol/event-format.ts";
import type { EventId } from "../protocol/identifiers.ts";
import type { RoomEvent } from "../protocol/pdu.ts";
import type { EventReader } from "../state/event-reader.ts";
import type { Room } from "../state/room-index.ts";
import type { NameCache } from "../storage/name-cache.ts";

/** The event of a state pair, both as integer IDs, in some state. */
export type StateLookup = (pairNid: number) => Promise<number | undefined> | number | undefined;

/** Why an event is refused, in a sentence. */
export type Refusal = Pick<AuthRejection, "message">;

/** Judges events of a room by its authorisation rules. */
export class Authorisation {
  readonly #events: Pick<EventReader, "roomEvent">;
  readonly #names: Pick<NameCache, "findStatePair">;

  constructor(events: Pick<EventReader, "roomEvent">, names: Pick<NameCache, "findStatePair">) {
    this.#events = events;
    this.#names = names;
  }

  /**
   * By the events that the event itself rests on (server-server API, "Checks performed on receipt of a PDU", 4), and by the
   * length of its keys.
   * @param create the room's create event; not asked for of a create event
   */
  byAuthEvents(
    { version }: Room,
    event: RoomEvent,
    authEvents: readonly ReferencedEvent[],
    create: ReferencedEvent | undefined,
  ): Refusal | undefined {
    const fault = longKeyFault(version, event.type, event.stateKey);
    if (fault !== undefined) return { message: fault };
    const state = authEvents.map((authEvent) => authEvent.event);
    // From room version 12 on no event lists the create event, and every one rests on it.
    if (version.roomIdIsCreateHash && create) state.push(create.event);
    return (
      authoriseStateless(version, event, authEvents, create) ?? authorise(version, event, authStateOf(state))
    );
  }

  /** By a state: the one before the event (5), or the room's current one (6). */
  async byState(
    { version }: Room,
    event: RoomEvent,
    lookup: StateLookup,
  ): Promise<AuthRejection | undefined> {
    return authorise(version, event, await this.#stateFor({ version }, event, lookup));
  }

  /** What the rules ask of a state. */
  async #stateFor(
    { version }: Pick<Room, "version">,
    event: RoomEvent,
    lookup: StateLookup,
  ): Promise<AuthState> {
    const found: RoomEvent[] = [];
    for (const [type, stateKey] of [...authEventTypesFor(version, event), ["m.room.create", ""] as const]) {
      const stateEvent = await this.stateEvent(lookup, type, stateKey);
      if (stateEvent) found.push(stateEvent);
    }
    return authStateOf(found);
  }

  /** The event of a type and state key in some state. */
  async stateEvent(lookup: StateLookup, type: string, stateKey: string): Promise<RoomEvent | undefined> {
    const pairNid = await this.#names.findStatePair(type, stateKey);
    const eventNid = pairNid === undefined ? undefined : await lookup(pairNid);
    return eventNid === undefined ? undefined : this.#events.roomEvent(eventNid);
  }
}

/** The ID of the event that made a room, where the room's ID tells it. */
export function createEventIdOf({ version, roomId }: Room): EventId | undefined {
  return version.roomIdIsCreateHash ? (`$${roomId.slice(1)}` as EventId) : undefined;
}
