import type { LiveMemberships } from "../../notifier/live-memberships.ts";
import type { Notifier } from "../../notifier/notifier.ts";
import { namedRoomId } from "../named-ids.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { Room, RoomIndex } from "../../state/room-index.ts";
import type { MembershipLogRow, MembershipStore } from "../../storage/memberships.ts";
import type { Reader } from "../../timeline/reader.ts";
import type { Readers } from "../../timeline/readers.ts";
import { roomStateAfter, type RoomTimelines } from "../../timeline/room-timelines.ts";
import type { RoomView, RoomViews } from "../../timeline/room-view.ts";

/** A room as far as somebody may read it. */
export interface ReadableRoom {
  readonly room: Room;
  readonly reader: Reader;
  readonly view: RoomView;
  readonly isJoined: boolean;
  /** The last position that they may read: now, or when they left. */
  readonly until: number;
  /** The state there. */
  readonly snapshotNid: number | null;
}

/** Decides who may read which rooms. */
export interface RoomReading {
  /**
   * A room as the user may read it. What they may see of its events is for the view to say.
   * @throws MatrixError M_INVALID_PARAM, and for a room that they may not read
   */
  open(roomId: string, user: Omit<Reader, "ignored">): Promise<ReadableRoom>;
  /** The same, or `undefined` when the user may not read the room at all. @throws MatrixError M_INVALID_PARAM */
  find(roomId: string, user: Omit<Reader, "ignored">): Promise<ReadableRoom | undefined>;
}

export interface ReadingAccessParts {
  readonly rooms: RoomIndex;
  readonly memberships: MembershipStore;
  /** The joined rooms of those who do something. */
  readonly live: Pick<LiveMemberships, "load">;
  readonly readers: Readers;
  readonly views: RoomViews;
  readonly timelines: RoomTimelines;
  readonly notifier: Notifier;
}

/** Decides who may read a room: its members, those who were, and everybody where it is world-readable. */
export class ReadingAccess implements RoomReading {
  readonly #parts: ReadingAccessParts;

  constructor(parts: ReadingAccessParts) {
    this.#parts = parts;
  }

  /** @throws MatrixError M_INVALID_PARAM, M_FORBIDDEN also for a room that is not known here */
  async open(roomId: string, user: Omit<Reader, "ignored">): Promise<ReadableRoom> {
    const opened = await this.find(roomId, user);
    if (opened) return opened;
    throw new MatrixError(
      "M_FORBIDDEN",
      `${user.userId} is not in this room, and it is open to its members only`,
    );
  }

  async find(roomId: string, user: Omit<Reader, "ignored">): Promise<ReadableRoom | undefined> {
    const room = await this.#parts.rooms.find(namedRoomId(roomId));
    if (!room) return undefined;
    const isJoined = (await this.#parts.live.load(user.userNid)).has(room.roomNid);
    const now = this.#parts.notifier.position;
    const current = await this.#stateAt(room, now);
    if (isJoined || (await this.#isWorldReadable(current))) {
      return this.#readable(room, user, { isJoined, until: now, snapshotNid: current });
    }
    const membership = await this.#parts.memberships.of(room.roomNid, user.userNid);
    if (!membership || membership.forgotten) return undefined;
    const until = await this.#lastPresence(user.userNid, room.roomNid);
    if (until === undefined) return undefined;
    const snapshotNid = await this.#stateAt(room, until);
    return this.#readable(room, user, { isJoined: false, until, snapshotNid });
  }

  async #readable(
    room: Room,
    user: Omit<Reader, "ignored">,
    extent: Pick<ReadableRoom, "isJoined" | "until" | "snapshotNid">,
  ): Promise<ReadableRoom> {
    const reader = await this.#parts.readers.of(user);
    return { room, reader, view: this.#parts.views.of(room.roomNid, reader), ...extent };
  }

  async #isWorldReadable(snapshotNid: number | null): Promise<boolean> {
    return snapshotNid !== null && (await this.#parts.views.visibilityIn(snapshotNid)) === "world_readable";
  }

  /** The position of the event by which a user stopped being in a room; `undefined` for one who was never in it. */
  async #lastPresence(userNid: number, roomNid: number): Promise<number | undefined> {
    const history = await this.#parts.memberships.history(userNid, roomNid);
    const lastJoin = history.findLastIndex(({ membership }) => membership === "join");
    const departure: MembershipLogRow | undefined = lastJoin === -1 ? undefined : history[lastJoin + 1];
    return departure?.position;
  }

  async #stateAt({ roomNid }: Room, position: number): Promise<number | null> {
    const last = await this.#parts.timelines.at(roomNid, position);
    return last ? roomStateAfter(last) : null;
  }
}
