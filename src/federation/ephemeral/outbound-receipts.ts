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
  readonly store: Pick<ReceiptStore, "allChangedBetween" | "roomsChangedAfter" | "toldUpTo" | "saveToldUpTo">;
  readonly rooms: Pick<RoomIndex, "byNid">;
  readonly servers: Pick<RoomServers, "of">;
  readonly sender: Pick<FederationSender, "sendEdu">;
  readonly names: Pick<NameCache, "localUserId">;
  /** The newest position: that of a commit comes after its followers have been told. */
  readonly position: () => number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What comes within this time is sent together; the more servers there are, the longer it is. */
const delayMs = 100;
const delayPerServerMs = 20;
const maxDelayMs = 10_000;
const maxReceiptsPerEdu = 100;
/** A start has better things to do at first. */
const resumeDelayMs = 2_000;
/** Of what went untold at the last stop: so many rooms, those in which somebody has read last, and the newest of each. */
const maxResumedRooms = 1_000;
const maxReceiptsOfRoom = 10_000;
/** By then what was told has arrived, or never will. What was told later is told again after a restart, and does no harm. */
const saveDelayMs = 10_000;

/** A room in which receipts have changed. */
interface ReadRoom {
  after: number;
  upTo: number;
  timer: Timer | undefined;
}

/** Receipts of different users: one of them has room for one of a user. */
type EduReceipts = Map<string, ReceiptRow>;

/** Tells other servers what users of this one have read (server-server API, "Receipts"). */
export class OutboundReceipts implements Disposable {
  readonly #parts: OutboundReceiptsParts;
  readonly #rooms = new Map<number, ReadRoom>();
  /** Those about which others are being told in this moment. */
  readonly #telling = new Set<ReadRoom>();
  /** Whether what went untold at the last stop is among the rooms. */
  #isResumed = false;
  /** Whether others have been told something since what is stored next was looked up. */
  #hasToldMore = false;
  #resuming: Timer | undefined;
  #saving: Timer | undefined;
  #isClosed = false;

  constructor(parts: OutboundReceiptsParts) {
    this.#parts = parts;
  }

  /** Tells what went untold at the last stop. To be called once, after the sender has taken up its own. */
  resume(): void {
    const upTo = this.#parts.position();
    this.#resuming = this.#parts.clock.setTimer(resumeDelayMs, () => {
      this.#resume(upTo).catch((error: unknown) => {
        this.#parts.log.warn(
          { err: error },
          "other servers were not told what had been read before the start",
        );
      });
    });
  }

  /** To be told of each commit. */
  readonly committed = (upTo: number, changes: readonly StreamChange[]): void => {
    for (const { stream, nid, position } of changes) {
      if (stream === "receipts") void this.#add(nid, position - 1, upTo);
    }
  };

  /** What waits is told after the next start. */
  [Symbol.dispose](): void {
    this.#isClosed = true;
    for (const timer of [this.#resuming, this.#saving]) timer?.cancel();
    for (const { timer } of this.#rooms.values()) timer?.cancel();
    this.#rooms.clear();
  }

  async #resume(upTo: number): Promise<void> {
    const { store } = this.#parts;
    const after = await store.toldUpTo();
    const roomNids = after < upTo ? await store.roomsChangedAfter(after, maxResumedRooms) : [];
    for (const roomNid of roomNids) await this.#add(roomNid, after, upTo);
    this.#isResumed = true;
    this.#saveLater();
  }

  async #add(roomNid: number, after: number, upTo: number): Promise<void> {
    if (this.#isClosed) return;
    const known = this.#rooms.get(roomNid);
    if (known) {
      known.after = Math.min(known.after, after);
      known.upTo = Math.max(known.upTo, upTo);
      return;
    }
    const room = { after, upTo, timer: undefined };
    this.#rooms.set(roomNid, room);
    try {
      await this.#wait(roomNid, room);
    } catch (error) {
      this.#rooms.delete(roomNid);
      this.#fail(roomNid, error);
    }
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
      this.#telling.add(room);
      this.#tell(roomNid, room)
        .catch((error: unknown) => this.#fail(roomNid, error))
        .finally(() => {
          this.#telling.delete(room);
          this.#hasToldMore = true;
          this.#saveLater();
        });
    });
  }

  #saveLater(): void {
    if (this.#saving || this.#isClosed || !this.#isResumed || !this.#hasToldMore) return;
    const { store, clock, log } = this.#parts;
    this.#hasToldMore = false;
    const toldUpTo = this.#toldUpTo;
    this.#saving = clock.setTimer(saveDelayMs, () => {
      this.#saving = undefined;
      this.#saveLater();
      store.saveToldUpTo(toldUpTo).catch((error: unknown) => {
        log.warn({ err: error }, "how far other servers know what has been read could not be stored");
      });
    });
  }

  get #toldUpTo(): number {
    let upTo = this.#parts.position();
    for (const { after } of this.#rooms.values()) upTo = Math.min(upTo, after);
    for (const { after } of this.#telling) upTo = Math.min(upTo, after);
    return upTo;
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
    const own: (readonly [userId: string, row: ReceiptRow])[] = [];
    for (const row of rows) {
      const userId = await this.#parts.names.localUserId(row.userNid);
      if (userId !== undefined) own.push([userId, row]);
    }
    const edus: EduReceipts[] = [];
    for (const [userId, row] of own.slice(-maxReceiptsOfRoom)) {
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
