import type { Membership, MembershipStore } from "../../storage/memberships.ts";
import type { RoomStore } from "../../storage/rooms.ts";
import { everyEvent } from "../../sync/filter.ts";
import type { SyncDevice } from "../../sync/sync-request.ts";
import type { Pace } from "../../telemetry/pace.ts";
import type { EventPresenter } from "../../timeline/event-presenter.ts";
import { startOfTime } from "../../timeline/room-timelines.ts";
import { type StateTexts, wholeState } from "../../timeline/state-texts.ts";
import { streamToken } from "../../timeline/stream-token.ts";
import type { AccountDataEvent, AccountDataService } from "../account-data.ts";
import type { ReadableRoom, ReadingAccess } from "./reading-access.ts";
import type { TimelinePages } from "./timeline-pages.ts";

export interface RoomSnapshotParts {
  readonly access: ReadingAccess;
  readonly pages: TimelinePages;
  readonly memberships: Pick<MembershipStore, "of">;
  readonly rooms: Pick<RoomStore, "byNid">;
  readonly accountData: Pick<AccountDataService, "all">;
  readonly presenter: EventPresenter;
  readonly stateTexts: StateTexts;
  readonly pace: Pace;
}

type RoomAccountData = ReadonlyMap<string, readonly AccountDataEvent[]>;

const defaultLimit = 10;
const maxLimit = 100;

/** Rooms as they are now, or were when their reader left: newest messages and whole state ("RoomInfo"). */
export class RoomSnapshots {
  readonly #parts: RoomSnapshotParts;

  constructor(parts: RoomSnapshotParts) {
    this.#parts = parts;
  }

  /**
   * @returns a JSON object, in pieces
   * @throws MatrixError M_FORBIDDEN for those who may not read the room
   */
  async read(roomId: string, user: SyncDevice, limit?: number): Promise<(string | Buffer)[]> {
    const readable = await this.#parts.access.open(roomId, user);
    const row = await this.#parts.memberships.of(readable.room.roomNid, user.userNid);
    const { rooms } = await this.#parts.accountData.all(user);
    return this.write(readable, row?.membership, rooms, limit);
  }

  /** @param membership absent for whoever was never in the room */
  async write(
    readable: ReadableRoom,
    membership: Membership | undefined,
    accountData: RoomAccountData,
    limit = defaultLimit,
  ): Promise<(string | Buffer)[]> {
    const { room, snapshotNid } = readable;
    const { stateTexts, pace, rooms } = this.#parts;
    const state =
      snapshotNid === null
        ? ""
        : await stateTexts.of(room.roomNid, snapshotNid, wholeState, pace, room.roomId);
    const isPublic = (await rooms.byNid(room.roomNid))?.isPublic ?? false;
    return [
      `{"room_id":${JSON.stringify(room.roomId)}`,
      // Whoever has knocked is, for clients of that time, not there.
      membership === undefined || membership === "knock" ? "" : `,"membership":"${membership}"`,
      `,"visibility":"${isPublic ? "public" : "private"}","account_data":[`,
      (accountData.get(room.roomId) ?? []).map(accountDataText).join(","),
      `],"messages":${await this.#messages(readable, Math.min(limit, maxLimit))},"state":[`,
      state,
      "]}",
    ];
  }

  async #messages(readable: ReadableRoom, limit: number): Promise<string> {
    const { room, view, until } = readable;
    const range = { direction: "b", after: startOfTime, upTo: until, limit } as const;
    const { events } =
      limit === 0 ? { events: [] } : await this.#parts.pages.read(readable, range, everyEvent);
    const options = { roomId: room.roomId, aggregateUpTo: until };
    const texts = await this.#parts.presenter.present(view, events.toReversed(), options);
    const start = (events.at(-1)?.position ?? until + 1) - 1;
    return `{"chunk":[${texts.join(",")}],"start":"${streamToken(start)}","end":"${streamToken(until)}"}`;
  }
}

/** Account data as clients get it, as JSON. */
export function accountDataText({ type, content }: AccountDataEvent): string {
  return `{"type":${JSON.stringify(type)},"content":${content}}`;
}
