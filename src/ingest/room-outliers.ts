import { type RoomId, type ServerName, serverNameOf, type UserId } from "../protocol/identifiers.ts";
import type { RoomEvent } from "../protocol/pdu.ts";
import { MatrixError } from "../protocol/matrix-error.ts";
import type { RoomVersion } from "../protocol/room-versions.ts";
import type { EventReader } from "../state/event-reader.ts";
import type { Room, RoomIndex } from "../state/room-index.ts";
import type { CommitStore, NewEvent } from "../storage/commits.ts";
import { eventFlags, type EventStore } from "../storage/events.ts";
import type { NameCache } from "../storage/name-cache.ts";
import type { StatePair } from "../storage/names.ts";
import type { Pace } from "../telemetry/pace.ts";
import type { RoomStore } from "../storage/rooms.ts";
import { type Authorisation, createEventIdOf } from "./authorisation.ts";
import { type AuthEvent, AuthEvents, eventBasics } from "./event-basics.ts";
import { membershipOf } from "./current-state-move.ts";
import type { Receipt, ReceivedEvent } from "./received-event.ts";
import type { RoomHeads } from "./room-heads.ts";
import type { RoomQueues } from "./room-queues.ts";

export interface RoomOutliersParts {
  readonly serverName: ServerName;
  readonly commits: CommitStore;
  readonly eventStore: Pick<EventStore, "nidOf" | "authNids">;
  readonly events: EventReader;
  readonly names: NameCache;
  readonly rooms: RoomIndex;
  readonly roomStore: Pick<RoomStore, "adopt" | "correctVersion">;
  readonly heads: Pick<RoomHeads, "idle">;
  readonly queues: RoomQueues<number>;
  readonly authorisation: Authorisation;
  readonly nextEventNid: () => number;
  readonly nextRoomNid: () => number;
  readonly pace: Pace;
}

/** Bounds what one commit holds up. */
const maxEventsAtOnce = 500;

/** Stores events without a place in the graph: those of states and auth chains that other servers tell. */
export class RoomOutliers {
  readonly #parts: RoomOutliersParts;

  constructor(parts: RoomOutliersParts) {
    this.#parts = parts;
  }

  /**
   * A room of which so far nothing has to be known but its ID and version.
   * @throws MatrixError M_UNKNOWN while it is being deleted
   */
  async adopt(roomId: RoomId, version: RoomVersion): Promise<Room> {
    const known = await this.#parts.rooms.find(roomId);
    if (known) return known;
    await this.#parts.roomStore.adopt(this.#parts.nextRoomNid(), roomId, version.id);
    const adopted = await this.#parts.rooms.find(roomId);
    if (!adopted)
      throw new MatrixError("M_UNKNOWN", "This server is deleting the room just now: try again later");
    return adopted;
  }

  /**
   * Gives a room that has been adopted the version that it has, where nothing but that has been known of it: an invite may
   * have claimed another.
   * @param room with its true version
   * @returns false for a room of which more is known, and which has another version
   */
  async correctVersion({ roomNid, roomId, version }: Room): Promise<boolean> {
    const { rooms, roomStore } = this.#parts;
    if ((await rooms.byNid(roomNid)).version.id === version.id) return true;
    if (!(await roomStore.correctVersion(roomNid, version.id))) return false;
    rooms.forget(roomNid, roomId);
    return true;
  }

  /**
   * Stores events that are not known yet; each is judged by the events that it rests on.
   * @param events at most 500, each after its `auth_events`
   * @returns what became of each: `accepted` stands for one that its auth events allow
   * @throws StorageError
   */
  store(room: Room, events: readonly ReceivedEvent[]): Promise<readonly Receipt[]> {
    if (events.length > maxEventsAtOnce) throw new RangeError(`${events.length} events at once are too many`);
    return this.#parts.queues.run(room.roomNid, async () => {
      // What is on its way would be taken for unknown, and be stored twice.
      await this.#parts.heads.idle(room.roomNid);
      await this.#internNames(events);
      const rows = new Map<string, NewEvent>();
      const { eventStore, events: reader } = this.#parts;
      const pending = { rows, authEvents: new AuthEvents(eventStore, reader, rows) };
      try {
        const receipts: Receipt[] = [];
        for (const received of events) {
          receipts.push(await this.#add(room, received, pending));
          await this.#parts.pace.breathe();
        }
        await this.#commit(room, [...rows.values()]);
        return receipts;
      } finally {
        // They are read from storage from now on, if they are there.
        for (const { eventNid } of rows.values()) this.#parts.events.settled(eventNid, undefined);
      }
    });
  }

  /**
   * Stores a member event of a user of this server in a room in which nobody of this server is: an invite, the end of one, a
   * knock. It has been signed by the server that speaks for the room; there is nothing else to judge it by.
   * @param strippedState what was told of the room along with it, as JSON texts
   * @param isDue whether it is still to be stored once nothing else of the room is under way
   * @throws StorageError
   */
  storeMembership(
    room: Room,
    received: ReceivedEvent,
    strippedState: readonly string[],
    isDue: () => Promise<boolean> = () => Promise.resolve(true),
  ): Promise<void> {
    return this.#parts.queues.run(room.roomNid, async () => {
      await this.#parts.heads.idle(room.roomNid);
      if (!(await isDue())) return;
      const { event } = received;
      const known = await this.#parts.eventStore.nidOf(event.eventId);
      const row = known === undefined ? await this.#row(room, received) : undefined;
      const eventNid = known ?? row?.eventNid;
      if (eventNid === undefined) throw new Error("an event has no integer ID");
      await this.#parts.commits.commit({
        roomNid: room.roomNid,
        events: row ? [row] : [],
        snapshots: [],
        memberships: [await membershipOf(this.#parts, event, eventNid)],
        strippedState: strippedState.length > 0 ? { eventNid, events: strippedState } : undefined,
      });
    });
  }

  /** In one write: there may be a user for every event. */
  #internNames(events: readonly ReceivedEvent[]): Promise<void> {
    const users: string[] = [];
    const pairs: StatePair[] = [];
    for (const { event } of events) {
      const { type, stateKey, sender } = event;
      users.push(sender);
      if (stateKey === undefined) continue;
      pairs.push({ type, stateKey });
      if (type === "m.room.member") users.push(stateKey);
    }
    return this.#parts.names.internAll(users, pairs);
  }

  async #commit({ roomNid }: Room, events: readonly NewEvent[]): Promise<void> {
    if (events.length === 0) return;
    await this.#parts.commits.commit({ roomNid, events, snapshots: [], memberships: [] });
  }

  async #add(room: Room, received: ReceivedEvent, pending: Pending): Promise<Receipt> {
    const { event } = received;
    const { eventId } = event;
    const known = pending.rows.get(eventId)?.eventNid ?? (await this.#parts.eventStore.nidOf(eventId));
    if (known !== undefined && !(await this.#lacksAuth(event, known))) return { eventId, verdict: "known" };
    const { auth, missingAuth } = await pending.authEvents.of(event);
    if (missingAuth.length > 0) return { eventId, verdict: "incomplete", missingAuth };
    const createId = createEventIdOf(room);
    const create = createId === undefined ? undefined : await pending.authEvents.find(createId);
    const rejection = this.#parts.authorisation.byAuthEvents(room, event, auth, create);
    const row = await this.#row(room, received, { auth, isRejected: rejection !== undefined, known });
    this.#parts.events.announce(row.eventNid, event);
    pending.rows.set(eventId, row);
    return { eventId, verdict: rejection ? "rejected" : "accepted", reason: rejection?.message };
  }

  /** Whether an event was stored by {@link storeMembership}, when nothing of what it rests on was here. */
  async #lacksAuth({ type, stateKey, authEventIds }: RoomEvent, eventNid: number): Promise<boolean> {
    if (type !== "m.room.member" || authEventIds.length === 0) return false;
    if (serverNameOf(stateKey as UserId) !== this.#parts.serverName) return false;
    const { flags } = await this.#parts.events.stored(eventNid);
    return (
      (flags & eventFlags.outlier) !== 0 && (await this.#parts.eventStore.authNids(eventNid)).length === 0
    );
  }

  async #row(
    { roomNid }: Room,
    received: ReceivedEvent,
    { auth, isRejected, known }: RowDetails = { auth: [], isRejected: false, known: undefined },
  ): Promise<NewEvent> {
    const { names } = this.#parts;
    const { type, stateKey } = received.event;
    const pairNid = stateKey === undefined ? null : await names.internStatePair(type, stateKey);
    return {
      ...(await eventBasics(names, roomNid, pairNid, received)),
      eventNid: known ?? this.#parts.nextEventNid(),
      stateBefore: null,
      stateAfter: null,
      roomState: null,
      flags: eventFlags.outlier | (isRejected ? eventFlags.rejected : 0),
      replaces: null,
      delayId: null,
      inTimeline: false,
      prevNids: [],
      authNids: auth.map(({ eventNid }) => eventNid),
    };
  }
}

/** Events on their way into storage, and what they rest on. */
interface Pending {
  readonly rows: Map<string, NewEvent>;
  readonly authEvents: AuthEvents;
}

interface RowDetails {
  readonly auth: readonly AuthEvent[];
  readonly isRejected: boolean;
  /** Its integer ID, where it is stored already. */
  readonly known: number | undefined;
}
