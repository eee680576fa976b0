import { redactedText } from "../../ingest/redaction.ts";
import type { EventId, ServerName } from "../../protocol/identifiers.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { EventReader } from "../../state/event-reader.ts";
import type { Room, RoomIndex } from "../../state/room-index.ts";
import type { StateSnapshots } from "../../state/state-snapshots.ts";
import type { EventStore, StoredEvent } from "../../storage/events.ts";
import type { RoomParticipation } from "../room-participation.ts";
import type { ServerVisibility } from "./server-visibility.ts";

export interface ServedRoomsParts {
  readonly rooms: RoomIndex;
  readonly participation: RoomParticipation;
  readonly visibility: ServerVisibility;
  readonly eventStore: EventStore;
  readonly events: EventReader;
  readonly snapshots: StateSnapshots;
}

/** A state and the auth chain of its events, as integer IDs. */
export interface ServedState {
  readonly state: readonly number[];
  readonly authChain: readonly number[];
}

/** Servers ask again for what lies further back. */
const maxMissing = 20;
const maxBackfill = 100;
/** Events that are walked over to find those that were asked for. */
const maxWalked = 500;
/** Events at a moment that are tried until the server may see one. */
const maxCandidates = 50;
const endOfTime = Number.MAX_SAFE_INTEGER;

/** What other servers may read of rooms (server-server API, "Retrieving events", "Backfilling and retrieving missing events"). */
export class ServedRooms {
  readonly #parts: ServedRoomsParts;

  constructor(parts: ServedRoomsParts) {
    this.#parts = parts;
  }

  /** A room in which a server takes part. @throws MatrixError M_NOT_FOUND, M_FORBIDDEN */
  async roomFor(server: ServerName, roomId: string): Promise<Room> {
    const { rooms, participation } = this.#parts;
    const room = await rooms.find(roomId);
    if (!room || !(await participation.isJoined(room))) {
      throw new MatrixError("M_NOT_FOUND", "This server is not in such a room");
    }
    if (!participation.isWhole(room)) {
      throw new MatrixError("M_FORBIDDEN", "This server does not know yet who is in the room");
    }
    if (!(await participation.admits(room, server)) || !(await participation.hasUsersOf(room, server))) {
      throw new MatrixError("M_FORBIDDEN", `${server} does not take part in this room`);
    }
    return room;
  }

  /** @throws MatrixError M_NOT_FOUND, M_FORBIDDEN */
  async event(server: ServerName, eventId: string): Promise<StoredEvent> {
    const { eventStore, rooms, visibility } = this.#parts;
    const stored = await eventStore.byId(eventId);
    if (!stored) throw noSuchEvent();
    const room = await this.roomFor(server, (await rooms.byNid(stored.roomNid)).roomId);
    // It is part of a state that the server may ask for.
    if (stored.pairNid !== null || (await visibility.maySee(server, stored))) return stored;
    return this.#redacted(room, stored);
  }

  /**
   * The event closest to a moment that the server may see: not before it (`f`), or not after it (`b`).
   * @throws MatrixError M_NOT_FOUND, M_FORBIDDEN
   */
  async closestInTime(
    server: ServerName,
    roomId: string,
    originServerTs: number,
    direction: "f" | "b",
  ): Promise<StoredEvent> {
    const { eventStore, events, visibility } = this.#parts;
    const { roomNid } = await this.roomFor(server, roomId);
    const side = direction === "f" ? "forwards" : "backwards";
    const nids = await eventStore.closestInTime(roomNid, originServerTs, side, endOfTime, maxCandidates);
    for (const stored of await events.storedAll(nids)) {
      if (await visibility.maySee(server, stored)) return stored;
    }
    throw noSuchEvent();
  }

  /** The state before an event. @throws MatrixError M_NOT_FOUND, M_FORBIDDEN */
  async stateBefore(server: ServerName, roomId: string, eventId: string): Promise<ServedState> {
    const { snapshots, eventStore } = this.#parts;
    const event = await this.#eventOf(await this.roomFor(server, roomId), eventId);
    if (event.stateAfter === null) throw noSuchEvent();
    const state = event.stateBefore === null ? [] : [...(await snapshots.map(event.stateBefore)).values()];
    return { state, authChain: await eventStore.authChain(state) };
  }

  /** The auth chain of an event. @throws MatrixError M_NOT_FOUND, M_FORBIDDEN */
  async authChainOf(server: ServerName, roomId: string, eventId: string): Promise<readonly number[]> {
    const event = await this.#eventOf(await this.roomFor(server, roomId), eventId);
    const { authEventIds } = await this.#parts.events.roomEvent(event.eventNid);
    const known = await this.#parts.eventStore.nidsOf(authEventIds);
    const direct = known.map(({ eventNid }) => eventNid);
    return [...new Set([...direct, ...(await this.#parts.eventStore.authChain(direct))])];
  }

  /**
   * Events before some, without those, back to others that the server has; oldest first. Of what the server may not see
   * it gets what is left after a redaction, so that it can follow the graph.
   * @throws MatrixError M_NOT_FOUND, M_FORBIDDEN
   */
  async missing(
    server: ServerName,
    roomId: string,
    query: {
      readonly latest: readonly string[];
      readonly earliest: readonly string[];
      readonly limit: number;
    },
  ): Promise<StoredEvent[]> {
    const room = await this.roomFor(server, roomId);
    const starts = await this.#known(room, query.latest);
    const first = await this.#prevsOf(starts);
    const limit = Math.min(query.limit, maxMissing);
    const known = new Set([...query.earliest, ...query.latest]);
    const found = await this.#walk(server, room, first, limit, known, nearestFirst);
    return found.toSorted((a, b) => a.depth - b.depth);
  }

  /**
   * Events up to and including some, newest first. What the server may not see is as in {@link missing}.
   * @throws MatrixError M_NOT_FOUND, M_FORBIDDEN
   */
  async backfill(
    server: ServerName,
    roomId: string,
    from: readonly string[],
    limit: number,
  ): Promise<StoredEvent[]> {
    const room = await this.roomFor(server, roomId);
    const starts = await this.#known(room, from);
    const found = await this.#walk(
      server,
      room,
      starts.map(({ eventId }) => eventId as EventId),
      Math.min(limit, maxBackfill),
      new Set(),
      deepestFirst,
    );
    return found.toSorted((a, b) => b.depth - a.depth);
  }

  /** Goes back along `prev_events`. @param takeNext the next of those that have been reached */
  async #walk(
    server: ServerName,
    room: Room,
    starts: readonly EventId[],
    limit: number,
    stopAt: ReadonlySet<string>,
    takeNext: (reached: StoredEvent[]) => StoredEvent | undefined,
  ): Promise<StoredEvent[]> {
    const found: StoredEvent[] = [];
    const seen = new Set<string>(stopAt);
    const reached = await this.#known(
      room,
      starts.filter((eventId) => !seen.has(eventId)),
    );
    for (let walked = 0; reached.length > 0 && found.length < limit && walked < maxWalked; walked++) {
      const event = takeNext(reached);
      if (!event || seen.has(event.eventId)) continue;
      seen.add(event.eventId);
      const isVisible = await this.#parts.visibility.maySee(server, event);
      found.push(isVisible ? event : await this.#redacted(room, event));
      const prevs = (await this.#prevsOf([event])).filter((eventId) => !seen.has(eventId));
      reached.push(...(await this.#known(room, prevs)));
    }
    return found;
  }

  async #redacted({ version }: Room, stored: StoredEvent): Promise<StoredEvent> {
    const { common, federation } = redactedText(
      version,
      stored.eventNid,
      await this.#parts.events.roomEvent(stored.eventNid),
    );
    return { ...stored, common, federation };
  }

  async #prevsOf(events: readonly StoredEvent[]): Promise<EventId[]> {
    const parsed = await this.#parts.events.roomEvents(events.map(({ eventNid }) => eventNid));
    return [...new Set(parsed.flatMap(({ prevEventIds }) => prevEventIds))];
  }

  /** Those of some events that have a place in the room's graph here. */
  async #known(room: Room, eventIds: readonly string[]): Promise<StoredEvent[]> {
    const known = await this.#parts.eventStore.nidsOf(eventIds);
    const stored = await this.#parts.events.storedAll(known.map(({ eventNid }) => eventNid));
    return stored.filter(({ roomNid, stateAfter }) => roomNid === room.roomNid && stateAfter !== null);
  }

  async #eventOf(room: Room, eventId: string): Promise<StoredEvent> {
    const stored = await this.#parts.eventStore.byId(eventId);
    if (stored?.roomNid === room.roomNid) return stored;
    throw noSuchEvent();
  }
}

/** For pages of a history. */
function deepestFirst(reached: StoredEvent[]): StoredEvent | undefined {
  reached.sort((a, b) => a.depth - b.depth);
  return reached.pop();
}

/**
 * Server-server API, "get_missing_events": a breadth-first walk. Whoever asks needs all that an event follows directly,
 * also where one of its branches parted long ago.
 */
function nearestFirst(reached: StoredEvent[]): StoredEvent | undefined {
  return reached.shift();
}

function noSuchEvent(): MatrixError {
  return new MatrixError("M_NOT_FOUND", "There is no such event that the server may see");
}
