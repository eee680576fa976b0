import type { ActingUser } from "../../auth/requester.ts";
import type { RoomWriter } from "../../ingest/room-writer.ts";
import type { EventId, ServerName, UserId } from "../../protocol/identifiers.ts";
import { serverNameOf } from "../../protocol/identifiers.ts";
import type { JsonObject } from "../../protocol/json.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { Room } from "../../state/room-index.ts";
import type { AccountStore } from "../../storage/accounts.ts";
import { checkNotice, isLasting } from "./notice-content.ts";
import type { NoticeRooms } from "./notice-rooms.ts";

/** What is sent to a user in the server's name. */
export interface Notice {
  readonly type: string;
  /** For a state event, such as the room's name or what is pinned. */
  readonly stateKey?: string | undefined;
  readonly content: JsonObject;
  /** Makes a repeated request send nothing; unique for whoever sends it. */
  readonly transactionId?: string | undefined;
}

export interface ServerNoticesParts {
  readonly accounts: Pick<AccountStore, "find">;
  readonly rooms: NoticeRooms;
  readonly writer: RoomWriter;
  readonly sender: ActingUser;
  readonly serverName: ServerName;
}

/** Notices that were pinned before these have long been replaced. */
const maxPinned = 10;

/** Messages of the server to its users, each in a room of their own (client-server API, "Server Notices"). */
export class ServerNotices {
  readonly #parts: ServerNoticesParts;

  constructor(parts: ServerNoticesParts) {
    this.#parts = parts;
  }

  /**
   * Sends a notice. Once this returns, it is on disk.
   * @param author tells the transaction IDs of those who send notices apart
   * @throws MatrixError M_NOT_FOUND for who has no account here, M_BAD_JSON
   */
  async send(userId: UserId, notice: Notice, author: string): Promise<EventId> {
    const { rooms, writer, sender } = this.#parts;
    const { type, stateKey, content, transactionId } = notice;
    const user = await this.#recipient(userId);
    if (type === "m.room.message" && stateKey === undefined) checkNotice(content);
    const room = await rooms.roomFor(user);
    const transaction = transactionId === undefined ? undefined : { deviceId: author, id: transactionId };
    const event = { type, stateKey, sender: sender.userId, content, transaction };
    const { eventId } = await writer.sendOne(room, event);
    if (isLasting(content)) await this.#pin(room, eventId);
    return eventId as EventId;
  }

  async #recipient(userId: UserId) {
    const isOwn = serverNameOf(userId) === this.#parts.serverName;
    const account = isOwn ? await this.#parts.accounts.find(userId) : undefined;
    if (account && !account.isDeactivated && userId !== this.#parts.sender.userId) return account;
    throw new MatrixError("M_NOT_FOUND", `${userId} has no account on this server`);
  }

  /** "Active notices are represented by the pinned events in the server notices room." */
  async #pin(room: Room, eventId: string): Promise<void> {
    const { writer, sender } = this.#parts;
    await writer.decide(room, async (state) => {
      const pinned = (await state.event("m.room.pinned_events", ""))?.content["pinned"];
      const before = Array.isArray(pinned) ? pinned : [];
      if (before.includes(eventId)) return [];
      const content = { pinned: [...before, eventId].slice(-maxPinned) };
      return [{ type: "m.room.pinned_events", stateKey: "", sender: sender.userId, content }];
    });
  }
}
