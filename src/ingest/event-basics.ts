import type { ReferencedEvent } from "../protocol/auth/authorise-stateless.ts";
import type { EncodedEvent } from "../protocol/event-encoding.ts";
import type { EventId } from "../protocol/identifiers.ts";
import type { RoomEvent } from "../protocol/pdu.ts";
import type { EventReader } from "../state/event-reader.ts";
import { isCommonKey, isFederationKey } from "../state/event-text.ts";
import type { Room } from "../state/room-index.ts";
import type { NewEvent } from "../storage/commits.ts";
import { eventFlags, type EventStore } from "../storage/events.ts";
import type { NameCache } from "../storage/name-cache.ts";
import { createEventIdOf } from "./authorisation.ts";

/** What of a row is the event itself, wherever it stands. */
export type EventBasics = Pick<
  NewEvent,
  | "eventId"
  | "roomNid"
  | "typeNid"
  | "pairNid"
  | "senderNid"
  | "depth"
  | "originServerTs"
  | "common"
  | "federation"
>;

/** @param pairNid `null` for what is no state event */
export async function eventBasics(
  names: Pick<NameCache, "internEventType" | "internUser">,
  roomNid: number,
  pairNid: number | null,
  { event, encoded }: { readonly event: RoomEvent; readonly encoded: EncodedEvent },
): Promise<EventBasics> {
  return {
    eventId: event.eventId,
    roomNid,
    typeNid: await names.internEventType(event.type),
    pairNid,
    senderNid: await names.internUser(event.sender),
    depth: event.depth,
    originServerTs: event.originServerTs,
    common: encoded.members(isCommonKey),
    federation: encoded.members(isFederationKey),
  };
}

/** An event that others rest on. */
export interface AuthEvent extends ReferencedEvent {
  readonly eventNid: number;
}

/** What events rest on: much of it again and again, so that each is looked up once. For the time of one piece of work. */
export class AuthEvents {
  readonly #store: Pick<EventStore, "nidOf">;
  readonly #events: Pick<EventReader, "stored" | "roomEvent">;
  /** On their way into storage. */
  readonly #pending: ReadonlyMap<string, Pick<NewEvent, "eventNid" | "flags">>;
  readonly #found = new Map<EventId, AuthEvent>();

  constructor(
    store: Pick<EventStore, "nidOf">,
    events: Pick<EventReader, "stored" | "roomEvent">,
    pending: ReadonlyMap<string, Pick<NewEvent, "eventNid" | "flags">>,
  ) {
    this.#store = store;
    this.#events = events;
    this.#pending = pending;
  }

  /** @returns `undefined` for one that is not here */
  async find(eventId: EventId): Promise<AuthEvent | undefined> {
    const pending = this.#pending.get(eventId);
    const known = pending ? undefined : this.#found.get(eventId);
    if (known) return known;
    const eventNid = pending?.eventNid ?? (await this.#store.nidOf(eventId));
    if (eventNid === undefined) return undefined;
    const { flags } = pending ?? (await this.#events.stored(eventNid));
    const event = await this.#events.roomEvent(eventNid);
    const found = { eventNid, event, rejected: (flags & eventFlags.rejected) !== 0 };
    if (!pending) this.#found.set(eventId, found);
    return found;
  }

  /** The event that made a room, where each event rests on it without saying so. */
  async createEventOf(room: Room): Promise<AuthEvent | undefined> {
    const eventId = createEventIdOf(room);
    return eventId === undefined ? undefined : this.find(eventId);
  }

  /** The auth events of an event that are here, and the IDs of the others. */
  async of({
    authEventIds,
  }: RoomEvent): Promise<{ readonly auth: AuthEvent[]; readonly missingAuth: EventId[] }> {
    const auth: AuthEvent[] = [];
    const missingAuth: EventId[] = [];
    for (const eventId of authEventIds) {
      const found = await this.find(eventId);
      if (found) auth.push(found);
      else missingAuth.push(eventId);
    }
    return { auth, missingAuth };
  }
}
