import { boundedCache } from "../cache/bounded-cache.ts";
import type { UnreadCounts } from "../services/notifications/unread-counts.ts";
import type { StreamChange } from "../storage/streams.ts";
import type { Pace } from "../telemetry/pace.ts";

export interface BadgesParts {
  readonly unread: Pick<UnreadCounts, "of">;
  /** The rooms that a user is joined to. */
  readonly joinedRooms: (userNid: number) => Promise<Iterable<number>>;
  /** The newest position. */
  readonly position: () => number;
  readonly pace: Pace;
}

interface Badge {
  /** By room, where it is not zero. */
  readonly counts: Map<number, number>;
  /** Rooms to count anew. */
  readonly stale: Set<number>;
  isLoaded: boolean;
  /** Ends when whoever counts at the moment is done. */
  work: Promise<unknown>;
}

/** At some 500 bytes each. */
const cachedBadges = 20_000;

/** How many unread messages users have in all their rooms: counted once, then only where something has happened. */
export class Badges {
  readonly #parts: BadgesParts;
  readonly #badges = boundedCache<number, Badge>(cachedBadges);

  constructor(parts: BadgesParts) {
    this.#parts = parts;
  }

  /** To be told of each commit before its position becomes visible. */
  readonly committed = (_position: number, changes: readonly StreamChange[]): void => {
    for (const { stream, nid, readRoomNid, membership, redactedNid } of changes) {
      if (readRoomNid !== undefined) this.outdate(nid, readRoomNid);
      if (membership && !membership.isRemote) this.outdate(nid, membership.roomNid);
      if (stream === "timeline" && redactedNid !== undefined) this.#outdateAll(nid);
    }
  };

  /** A user's count in a room may have changed. */
  outdate(userNid: number, roomNid: number): void {
    this.#badges.peek(userNid)?.stale.add(roomNid);
  }

  async of(userNid: number): Promise<number> {
    const badge = this.#badges.get(userNid) ?? this.#make(userNid);
    const work = badge.work.then(() => this.#count(userNid, badge));
    // Whoever has asked is told of a failure; what has not been counted is still stale for the next one.
    badge.work = work.catch(() => undefined);
    return work;
  }

  #make(userNid: number): Badge {
    const badge = { counts: new Map(), stale: new Set<number>(), isLoaded: false, work: Promise.resolve() };
    this.#badges.set(userNid, badge);
    return badge;
  }

  #outdateAll(roomNid: number): void {
    for (const { counts, stale } of this.#badges.values()) if (counts.has(roomNid)) stale.add(roomNid);
  }

  async #count(userNid: number, badge: Badge): Promise<number> {
    const { counts, stale } = badge;
    if (!badge.isLoaded) {
      for (const roomNid of await this.#parts.joinedRooms(userNid)) stale.add(roomNid);
      badge.isLoaded = true;
    }
    for (const roomNid of stale) {
      await this.#parts.pace.breathe();
      // Before it is counted: what happens from now on makes it stale again.
      stale.delete(roomNid);
      try {
        const { notifications } = await this.#parts.unread.of(userNid, roomNid, this.#parts.position());
        if (notifications > 0) counts.set(roomNid, notifications);
        else counts.delete(roomNid);
      } catch (error) {
        stale.add(roomNid);
        throw error;
      }
    }
    let total = 0;
    for (const count of counts.values()) total += count;
    return total;
  }
}
