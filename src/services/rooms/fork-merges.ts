import type { RoomWriter } from "../../ingest/room-writer.ts";
import { maxPrevEvents } from "../../protocol/event-format.ts";
import type { UserId } from "../../protocol/identifiers.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import { boundedCache } from "../../cache/bounded-cache.ts";
import type { Room } from "../../state/room-index.ts";
import type { MembershipStore } from "../../storage/memberships.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import type { Clock, Timer } from "../../telemetry/clock.ts";
import type { Logger } from "../../telemetry/log.ts";

export interface ForkMergeParts {
  readonly writer: Pick<RoomWriter, "sendOne">;
  readonly memberships: Pick<MembershipStore, "localJoinedNids">;
  readonly names: Pick<NameCache, "userId">;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Fewer ends than this cost little, and the next event that somebody sends joins them. */
const toleratedExtremities = 10;
/** What comes of one fork comes at once: it is waited until that is over. */
const delayMs = 5_000;
/** Rooms that wait for it; others are told of again when more comes. */
const maxWaiting = 10_000;
/** So many branches at once have been made on purpose. */
const maxEvents = 10;
/** Users who are tried: in some rooms few may send anything. */
const maxSenders = 10;
/** In a room in which none of them may, it is not tried again for so long. */
const restMs = 60 * 60 * 1000;

/**
 * Keeps the ends of rooms' graphs few. Each event names those that it follows, and joins their branches; in a room in which
 * nobody of this server writes, they would grow without bound while other servers cannot hear each other, and the state
 * would be resolved from all of them with each event that comes. An event that nobody sees joins them then.
 */
export class ForkMerges implements Disposable {
  readonly #parts: ForkMergeParts;
  readonly #waiting = new Map<number, { extremities: number; readonly timer: Timer }>();
  readonly #resting = boundedCache<number, true>(maxWaiting);

  constructor(parts: ForkMergeParts) {
    this.#parts = parts;
  }

  /** To be told how many ends a room's graph has. */
  readonly note = (room: Room, extremities: number): void => {
    const { roomNid } = room;
    const known = this.#waiting.get(roomNid);
    if (known) known.extremities = extremities;
    if (known || extremities <= toleratedExtremities || this.#resting.has(roomNid)) return;
    if (this.#waiting.size >= maxWaiting) return;
    const timer = this.#parts.clock.setTimer(delayMs, () => void this.#merge(room));
    this.#waiting.set(roomNid, { extremities, timer });
  };

  [Symbol.dispose](): void {
    for (const { timer } of this.#waiting.values()) timer.cancel();
    this.#waiting.clear();
  }

  /**
   * Joins so many branches at once.
   * @returns false when no user of this server may send anything there
   */
  async join(room: Room, extremities: number): Promise<boolean> {
    // Each event leaves one end in place of as many as it joins.
    const events = Math.min(Math.ceil((extremities - 1) / (maxPrevEvents - 1)), maxEvents);
    for (let sent = 0; sent < events; sent++) if (!(await this.#send(room))) return false;
    return true;
  }

  async #merge(room: Room): Promise<void> {
    const { extremities = 0 } = this.#waiting.get(room.roomNid) ?? {};
    this.#waiting.delete(room.roomNid);
    try {
      if (!(await this.join(room, extremities))) this.#resting.set(room.roomNid, true, { ttl: restMs });
    } catch (error) {
      this.#parts.log.warn({ err: error, roomId: room.roomId }, "the branches of a room cannot be joined");
    }
  }

  /** Joins as many branches as one event can, by whichever user of this server may send it. */
  async #send(room: Room): Promise<boolean> {
    const { writer, memberships, names } = this.#parts;
    for (const userNid of await memberships.localJoinedNids(room.roomNid, maxSenders)) {
      const sender = (await names.userId(userNid)) as UserId;
      try {
        await writer.sendOne(room, { type: "org.matrix.dummy_event", sender, content: {}, isUnseen: true });
        return true;
      } catch (error) {
        if (!(error instanceof MatrixError)) throw error;
      }
    }
    return false;
  }
}
