import { MatrixError } from "../../protocol/matrix-error.ts";
import type { RoomIndex } from "../../state/room-index.ts";
import type { Notifier } from "../../notifier/notifier.ts";
import type { Reader } from "../../timeline/reader.ts";
import { roomStateAfter, type RoomTimelines } from "../../timeline/room-timelines.ts";
import type { RoomViews } from "../../timeline/room-view.ts";
import { namedRoomId } from "../named-ids.ts";
import type { ReadableRoom, RoomReading } from "./reading-access.ts";

export interface WholeAccessParts {
  readonly rooms: RoomIndex;
  readonly views: RoomViews;
  readonly timelines: RoomTimelines;
  readonly notifier: Pick<Notifier, "position">;
}

const nobody: ReadonlySet<number> = new Set();

/** Opens every room that is known here with all that is in it: for administrators. */
export class WholeAccess implements RoomReading {
  readonly #parts: WholeAccessParts;

  constructor(parts: WholeAccessParts) {
    this.#parts = parts;
  }

  /** @throws MatrixError M_INVALID_PARAM, M_NOT_FOUND */
  async open(roomId: string, user: Omit<Reader, "ignored">): Promise<ReadableRoom> {
    const opened = await this.find(roomId, user);
    if (opened) return opened;
    throw new MatrixError("M_NOT_FOUND", "This server does not know this room");
  }

  async find(roomId: string, user: Omit<Reader, "ignored">): Promise<ReadableRoom | undefined> {
    const { rooms, views, timelines, notifier } = this.#parts;
    const room = await rooms.find(namedRoomId(roomId));
    if (!room) return undefined;
    const until = notifier.position;
    const last = await timelines.at(room.roomNid, until);
    const { userNid, userId, deviceId } = user;
    const reader = { userNid, userId, deviceId, ignored: nobody };
    return {
      room,
      reader,
      view: views.whole(room.roomNid, reader),
      isJoined: true,
      until,
      snapshotNid: last ? roomStateAfter(last) : null,
    };
  }
}
