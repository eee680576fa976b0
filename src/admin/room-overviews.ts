import { MatrixError } from "../protocol/matrix-error.ts";
import type { RoomAccess } from "../services/rooms/room-access.ts";
import type { RoomAliases } from "../services/rooms/room-aliases.ts";
import type { ForkMerges } from "../services/rooms/fork-merges.ts";
import type { CurrentState } from "../state/current-state.ts";
import type { EventReader } from "../state/event-reader.ts";
import { pduOf } from "../state/event-text.ts";
import type { RoomIndex } from "../state/room-index.ts";
import type { EventStore, StoredEvent } from "../storage/events.ts";
import type { MembershipStore } from "../storage/memberships.ts";
import type { RoomDetails, RoomList, RoomListQuery, RoomOverviewStore } from "../storage/room-overviews.ts";
import type { RoomStore } from "../storage/rooms.ts";

export interface RoomOverviewsParts {
  readonly store: RoomOverviewStore;
  readonly roomStore: Pick<RoomStore, "extremities">;
  readonly memberships: Pick<MembershipStore, "joinedUserIds" | "counts">;
  readonly eventStore: Pick<EventStore, "byId">;
  readonly events: EventReader;
  readonly access: Pick<RoomAccess, "room">;
  readonly aliases: Pick<RoomAliases, "byIdOrAlias">;
  readonly rooms: RoomIndex;
  readonly state: CurrentState;
  readonly merges: ForkMerges;
}

/** What else is told of a single room. */
export interface DescribedDetails extends RoomDetails {
  readonly isTombstoned: boolean;
  readonly replacementRoom: string | null;
}

/** More would not fit into an answer that anybody reads. */
const maxMembers = 250_000;

/** Rooms as administrators see them. */
export class RoomOverviews {
  readonly #parts: RoomOverviewsParts;

  constructor(parts: RoomOverviewsParts) {
    this.#parts = parts;
  }

  list(query: RoomListQuery): Promise<RoomList> {
    return this.#parts.store.list(query);
  }

  /** @throws MatrixError M_INVALID_PARAM, M_NOT_FOUND */
  async details(roomId: string): Promise<DescribedDetails> {
    const { access, store, state } = this.#parts;
    const room = await access.room(roomId);
    const details = await store.details(room.roomNid);
    if (!details) throw new MatrixError("M_NOT_FOUND", "This server does not know this room");
    const tombstone = await state.event(room, "m.room.tombstone", "");
    const replacement = tombstone?.content["replacement_room"];
    return {
      ...details,
      isTombstoned: tombstone !== undefined,
      replacementRoom: typeof replacement === "string" ? replacement : null,
    };
  }

  /** The user IDs of those who are joined, and how many they are. @throws MatrixError M_INVALID_PARAM, M_NOT_FOUND */
  async members(roomId: string): Promise<{ readonly members: readonly string[]; readonly total: number }> {
    const { access, memberships } = this.#parts;
    const { roomNid } = await access.room(roomId);
    const members = await memberships.joinedUserIds(roomNid, maxMembers);
    const isWhole = members.length < maxMembers;
    return { members, total: isWhole ? members.length : (await memberships.counts(roomNid)).joined };
  }

  /** An event as servers send it to each other, with its ID and room. @throws MatrixError M_NOT_FOUND */
  async event(eventId: string): Promise<object> {
    const { eventStore, rooms } = this.#parts;
    const event = await eventStore.byId(eventId);
    if (!event) throw new MatrixError("M_NOT_FOUND", "This server does not have this event");
    const { roomId } = await rooms.byNid(event.roomNid);
    return {
      ...pduOf(event, true),
      event_id: eventId,
      room_id: roomId,
      unsigned: { age_ts: event.originServerTs },
    };
  }

  /** The ends of a room's graph. @throws MatrixError M_INVALID_PARAM, M_NOT_FOUND */
  async extremities(roomIdOrAlias: string): Promise<readonly StoredEvent[]> {
    const { aliases, roomStore, events } = this.#parts;
    const { roomNid } = await aliases.byIdOrAlias(roomIdOrAlias);
    const rows = await roomStore.extremities(roomNid);
    return events.storedAll(rows.map(({ eventNid }) => eventNid));
  }

  /**
   * Joins the branches of a room's graph, so that one end is left: nothing of them is lost.
   * @returns how many ends are gone
   * @throws MatrixError M_INVALID_PARAM, M_NOT_FOUND; M_UNKNOWN when nobody of this server may send anything there
   */
  async joinBranches(roomIdOrAlias: string): Promise<number> {
    const { aliases, roomStore, merges } = this.#parts;
    const room = await aliases.byIdOrAlias(roomIdOrAlias);
    const { length: before } = await roomStore.extremities(room.roomNid);
    if (before > 1 && !(await merges.join(room, before))) {
      throw new MatrixError("M_UNKNOWN", "Nobody of this server may send an event that joins the branches");
    }
    const { length: after } = await roomStore.extremities(room.roomNid);
    return Math.max(0, before - after);
  }
}
