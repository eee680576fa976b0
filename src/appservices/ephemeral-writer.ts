import { presenceContent } from "../services/presence/presence-content.ts";
import type { Presence } from "../services/presence/presence.ts";
import type { Typing } from "../services/typing.ts";
import type { RoomIndex } from "../state/room-index.ts";
import type { NameCache } from "../storage/name-cache.ts";
import type { ReceiptStore } from "../storage/receipts.ts";
import { receiptContent } from "../sync/streams/receipts.ts";
import type { Clock } from "../telemetry/clock.ts";
import type { ChangeWindow } from "./change-window.ts";
import type { CoveredUsers } from "./covered-users.ts";

export interface EphemeralWriterParts {
  readonly users: CoveredUsers;
  readonly typing: Pick<Typing, "in">;
  readonly receipts: Pick<ReceiptStore, "allChangedBetween">;
  /** Absent where presence is switched off. */
  readonly presence: Pick<Presence, "of"> | undefined;
  readonly rooms: Pick<RoomIndex, "byNid">;
  readonly names: NameCache;
  readonly clock: Clock;
}

/** What goes by without being kept, for one application service (application service API, "Pushing ephemeral data"). */
export class EphemeralWriter {
  readonly #parts: EphemeralWriterParts;

  constructor(parts: EphemeralWriterParts) {
    this.#parts = parts;
  }

  /** The events as JSON. */
  async events(window: ChangeWindow): Promise<string[]> {
    return [
      ...(await this.#typing(window)),
      ...(await this.#receipts(window)),
      ...(await this.#presence(window)),
    ];
  }

  async #typing({ typingRooms }: ChangeWindow): Promise<string[]> {
    const { typing, names } = this.#parts;
    const events: string[] = [];
    for (const roomNid of typingRooms) {
      const typers = typing.in(roomNid)?.userNids ?? [];
      const userIds = await Promise.all(typers.map((nid) => names.userId(nid)));
      events.push(await this.#inRoom("m.typing", roomNid, JSON.stringify({ user_ids: userIds })));
    }
    return events;
  }

  /** "Private read receipts MUST only be sent for users matching one of the application service's namespaces." */
  async #receipts({ receiptRooms, after, upTo }: ChangeWindow): Promise<string[]> {
    const { receipts, users, names } = this.#parts;
    const events: string[] = [];
    for (const roomNid of receiptRooms) {
      const shown = [];
      for (const receipt of await receipts.allChangedBetween(roomNid, after, upTo)) {
        const isPrivate = receipt.kind === "m.read.private";
        if (!isPrivate || (await users.has(receipt.userNid))) shown.push(receipt);
      }
      if (shown.length === 0) continue;
      events.push(await this.#inRoom("m.receipt", roomNid, await receiptContent(shown, names)));
    }
    return events;
  }

  async #presence({ presentUsers }: ChangeWindow): Promise<string[]> {
    const { presence, names, clock } = this.#parts;
    const events: string[] = [];
    for (const userNid of presentUsers) {
      const seen = await presence?.of(userNid);
      if (!seen) continue;
      const content = presenceContent(seen, clock.nowMs());
      events.push(JSON.stringify({ type: "m.presence", sender: await names.userId(userNid), content }));
    }
    return events;
  }

  async #inRoom(type: string, roomNid: number, content: string): Promise<string> {
    const { roomId } = await this.#parts.rooms.byNid(roomNid);
    return `{"type":"${type}","room_id":${JSON.stringify(roomId)},"content":${content}}`;
  }
}
