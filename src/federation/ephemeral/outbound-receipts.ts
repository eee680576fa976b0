import type { ServerName } from "../../protocol/identifiers.ts";
import { serverNameOf, type UserId } from "../../protocol/identifiers.ts";
import type { JsonObject } from "../../protocol/json.ts";
import type { RoomIndex } from "../../state/room-index.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import { type ReceiptRow, type ReceiptStore, unthreaded } from "../../storage/receipts.ts";
import type { StreamChange } from "../../storage/streams.ts";
import type { Clock, Timer } from "../../telemetry/clock.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { RoomServers } from "../room-servers.ts";
import type { FederationSender } from "../sending/federation-sender.ts";

export interface OutboundReceiptsParts {
  readonly ownName: ServerName;
  readonly store: Pick<ReceiptStore, "allChangedBetween">;
  readonly rooms: Pick<RoomIndex, "byNid">;
  readonly servers: Pick<RoomServers, "of">;
  readonly sender: Pick<FederationSender, "sendEdu">;
  readonly names: Pick<NameCache, "userId">;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What comes within this time is sent together; the more servers there are, the longer it is. */
const delayMs = 100;
const delayPerServerMs = 20;
const maxDelayMs = 10_000;
const maxReceiptsPerEdu = 100;

/** A room in which receipts have changed. */
interface ReadRoom {
  readonly after: number;
  upTo: number;
  timer: Timer | undefined;
}

/** Receipts of different users: one of them has room for one of a user. */
type EduReceipts = Map<string, ReceiptRow>;

/** Tells other servers what users of this one have read (server-server API, "Receipts"). */
export class OutboundReceipts implements Disposable {
  readonly #parts: OutboundReceiptsParts;
  readonly #rooms = new Map<number, ReadRoom>();
  #isClosed = false;

  constructor(parts: OutboundReceiptsParts) {
    this.#parts = parts;
  }

  /** To be told of each commit. */
  readonly committed = (upTo: number, changes: readonly StreamChange[]): void => {
    for (const { stream, nid, position } of changes) {
      if (stream !== "receipts" || this.#isClosed) continue;
      const known = this.#rooms.get(nid);
      if (known) known.upTo = upTo;
      else this.#begin(nid, { after: position - 1, upTo, timer: undefined });
    }
  };

  /** What waits goes untold. */
  [Symbol.dispose](): void {
    this.#isClosed = true;
    for (const { timer } of this.#rooms.values()) timer?.cancel();
    this.#rooms.clear();
  }

  #begin(roomNid: number, room: ReadRoom): void {
    this.#rooms.set(roomNid, room);
    this.#wait(roomNid, room).catch((error: unknown) => {
      this.#rooms.delete(roomNid);
      this.#fail(roomNid, error);
    });
  }

  async #wait(roomNid: number, room: ReadRoom): Promise<void> {
    const { servers, clock } = this.#parts;
    const { length } = await servers.of(roomNid);
    if (length === 0 || this.#isClosed) {
      this.#rooms.delete(roomNid);
      return;
    }
    room.timer = clock.setTimer(Math.min(delayMs + length * delayPerServerMs, maxDelayMs), () => {
      this.#rooms.delete(roomNid);
      this.#tell(roomNid, room).catch((error: unknown) => this.#fail(roomNid, error));
    });
  }

  #fail(roomNid: number, error: unknown): void {
    this.#parts.log.warn({ err: error, roomNid }, "other servers were not told what has been read");
  }

  async #tell(roomNid: number, { after, upTo }: ReadRoom): Promise<void> {
    const { store, rooms, servers, sender } = this.#parts;
    const rows = await store.allChangedBetween(roomNid, after, upTo);
    const edus = await this.#edus(rows.filter(({ kind }) => kind === "m.read"));
    const { roomId } = await rooms.byNid(roomNid);
    const names = await servers.of(roomNid);
    for (const receipts of edus) {
      // A later one of the same users in the same threads takes the place of one that waits.
      const key = [...receipts].map(([userId, { thread }]) => `${userId} ${thread}`).join(" ");
      const content = { [roomId]: { "m.read": contentOf(receipts) } };
      sender.sendEdu(names, `m.receipt ${roomId} ${key}`, { type: "m.receipt", content });
    }
  }

  async #edus(rows: readonly ReceiptRow[]): Promise<readonly EduReceipts[]> {
    const { names, ownName } = this.#parts;
    const edus: EduReceipts[] = [];
    for (const row of rows) {
      const userId = await names.userId(row.userNid);
      if (serverNameOf(userId as UserId) !== ownName) continue;
      let edu = edus.find((each) => each.size < maxReceiptsPerEdu && !each.has(userId));
      if (!edu) edus.push((edu = new Map()));
      edu.set(userId, row);
    }
    return edus;
  }
}

function contentOf(receipts: EduReceipts): JsonObject {
  return Object.fromEntries(
    [...receipts].map(([userId, { eventId, ts, thread }]) => [
      userId,
      { event_ids: [eventId], data: { ts, ...(thread !== unthreaded && { thread_id: thread }) } },
    ]),
  );
}
