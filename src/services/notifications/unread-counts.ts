import { LRUCache } from "lru-cache";
import type { EventOutline, EventStore } from "../../storage/events.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import type { StreamChange } from "../../storage/streams.ts";
import { mainThread } from "../../storage/receipts.ts";
import type { UnreadCheckpointStore } from "../../storage/unread-checkpoints.ts";
import type { Clock } from "../../telemetry/clock.ts";
import { Pace } from "../../telemetry/pace.ts";
import type { RoomTimelines } from "../../timeline/room-timelines.ts";
import type { AccountDataService } from "../account-data.ts";
import type { ThreadSubscriptions } from "../thread-subscriptions.ts";
import type { PushRuleService } from "../push-rules.ts";
import type { CheckpointWriter } from "./checkpoint-writer.ts";
import type { PushEvents } from "./push-events.ts";
import type { RoomStandings } from "./room-standings.ts";
import { nothingUnread, RoomTally, type UnreadTotals } from "./room-tally.ts";

export interface UnreadCountsParts {
  readonly timelines: Pick<RoomTimelines, "newest">;
  readonly events: Pick<EventStore, "outlinesBackwards">;
  readonly standings: Pick<RoomStandings, "of">;
  readonly checkpoints: Pick<UnreadCheckpointStore, "find">;
  readonly checkpointWriter: Pick<CheckpointWriter, "save">;
  readonly pushEvents: Pick<PushEvents, "of">;
  readonly pushRules: Pick<PushRuleService, "compiledFor">;
  readonly threads: Pick<ThreadSubscriptions, "inThread">;
  readonly accountData: Pick<AccountDataService, "ignoredUsers">;
  readonly names: Pick<NameCache, "userId">;
  readonly clock: Clock;
}

/** Positions in a room's timeline. */
interface RoomActivity {
  newest: number;
  /** Of the newest redaction that has taken effect. */
  redactedAt: number;
}

/** At some 500 bytes each. */
const cachedTallies = 100_000;
const cachedRooms = 50_000;
/**
 * Of what has come since a count was last brought up to date, so many events are looked at, the newest: what a client
 * shows as "99+" need not be exact, and nobody waits for ten thousand events to be judged. `maxThreadReceipts` is no
 * less, so that no receipt is dropped that could matter here.
 */
const maxCounted = 1_000;
/** So few new events are likely to be in memory. */
const fewEvents = 50;
/** Counting so many events anew is worth a write to save it. */
const checkpointInterval = 500;
const latest = Number.MAX_SAFE_INTEGER;

/**
 * How many unread events of a room would notify a user (client-server API, "Receiving notifications"). Nothing is
 * written when an event is sent: whoever asks has the events judged that are new since they asked last.
 */
export class UnreadCounts {
  readonly #parts: UnreadCountsParts;
  readonly #tallies = new LRUCache<string, RoomTally>({ max: cachedTallies });
  /** Of rooms that something was sent to since the start. */
  readonly #rooms = new LRUCache<number, RoomActivity>({ max: cachedRooms });

  constructor(parts: UnreadCountsParts) {
    this.#parts = parts;
  }

  /** To be told of each commit before its position becomes visible. */
  readonly committed = (_position: number, changes: readonly StreamChange[]): void => {
    for (const { stream, position, nid, redactedNid, readRoomNid, membership } of changes) {
      if (stream === "timeline") this.#note(nid, position, redactedNid !== undefined);
      if (readRoomNid !== undefined) this.#outdate(nid, readRoomNid);
      if (membership?.joined) this.#outdate(nid, membership.roomNid);
      else if (membership) this.#tallies.delete(keyOf(nid, membership.roomNid));
    }
  };

  /**
   * What a user has not read in a room, of events up to a position; what is known of later ones may be counted too. For
   * whoever is not joined to the room it is nothing.
   */
  async of(userNid: number, roomNid: number, upTo: number): Promise<UnreadTotals> {
    const key = keyOf(userNid, roomNid);
    const tally = this.#tallies.get(key) ?? new RoomTally(userNid, roomNid);
    if (this.#isCurrent(tally, upTo)) return tally.totals;
    this.#tallies.set(key, tally);
    const work = tally.work.then(() => this.#advance(tally, upTo));
    // Whoever has asked is told of a failure; what it has left half counted is counted anew for the next one.
    tally.work = work.catch(() => tally.restart());
    await work;
    return tally.marks ? tally.totals : nothingUnread;
  }

  #isCurrent(tally: RoomTally, upTo: number): boolean {
    if (tally.isStale) return false;
    return tally.countedUpTo >= Math.min(upTo, this.#rooms.get(tally.roomNid)?.newest ?? latest);
  }

  #note(roomNid: number, position: number, isRedaction: boolean): void {
    const room = this.#rooms.get(roomNid) ?? { newest: 0, redactedAt: 0 };
    room.newest = position;
    if (isRedaction) room.redactedAt = position;
    this.#rooms.set(roomNid, room);
  }

  #outdate(userNid: number, roomNid: number): void {
    const tally = this.#tallies.peek(keyOf(userNid, roomNid));
    if (tally) tally.isStale = true;
  }

  async #advance(tally: RoomTally, upTo: number): Promise<void> {
    if (tally.isStale) await this.#refresh(tally);
    if (!tally.marks || tally.countedUpTo >= upTo) return;
    const redactedAt = this.#rooms.get(tally.roomNid)?.redactedAt ?? 0;
    if (!tally.isEmpty && redactedAt > tally.countedUpTo) tally.restart();
    const events = await this.#eventsAfter(tally.roomNid, tally.countedUpTo, upTo);
    if (events.length > 0) await this.#count(tally, events);
    tally.countedUpTo = upTo;
    tally.unsaved += events.length;
    if (tally.unsaved < checkpointInterval) return;
    tally.unsaved = 0;
    this.#parts.checkpointWriter.save(tally.checkpoint());
  }

  async #refresh(tally: RoomTally): Promise<void> {
    const { userNid, roomNid } = tally;
    // Before anything is read: what changes from now on makes it stale again.
    tally.isStale = false;
    try {
      const standing = await this.#parts.standings.of(userNid, roomNid);
      if (!standing) {
        this.#tallies.delete(keyOf(userNid, roomNid));
        return;
      }
      if (!tally.marks) {
        const checkpoint = await this.#parts.checkpoints.find(userNid, roomNid);
        if (checkpoint) tally.resume(checkpoint);
      }
      tally.displayName = standing.displayName;
      tally.heed(standing.marks);
    } catch (error) {
      tally.isStale = true;
      throw error;
    }
  }

  /** Oldest first. */
  async #eventsAfter(roomNid: number, after: number, upTo: number): Promise<readonly EventOutline[]> {
    const { events, hasMore } = await this.#parts.timelines.newest(roomNid, after, upTo, fewEvents);
    if (!hasMore) return events;
    const newestFirst = await this.#parts.events.outlinesBackwards(roomNid, upTo, after, maxCounted);
    return newestFirst.toReversed();
  }

  async #count(tally: RoomTally, events: readonly EventOutline[]): Promise<void> {
    const { pushRules, accountData, names, pushEvents, threads, clock } = this.#parts;
    const rules = await pushRules.compiledFor(tally.userNid);
    const ignored = await accountData.ignoredUsers(tally.userNid);
    const user = { userId: await names.userId(tally.userNid), displayName: tally.displayName };
    const pace = new Pace(clock);
    for (const outline of events) {
      await pace.breathe();
      const position = outline.position ?? 0;
      if (outline.senderNid === tally.userNid) {
        await this.#strikeOwn(tally, outline);
        continue;
      }
      // A tally without marks is not counted.
      if (outline.redactedBy !== null || position <= (tally.marks?.everywhere ?? position)) continue;
      const { event, thread } = await pushEvents.of(outline.eventNid);
      if (position <= (tally.marks?.upTo(thread) ?? position) || ignored.has(event.sender)) continue;
      const reader =
        thread === mainThread ? user : await threads.inThread(user, tally.userNid, tally.roomNid, thread);
      const outcome = rules.evaluate(event, reader);
      if (outcome?.notify) tally.add(thread, position, outcome.highlight);
    }
  }

  /**
   * "When the user updates their read receipt (either by using the API or by sending an event)": whoever sends a message
   * has read its thread, and no other. State is often sent without looking at the room.
   */
  async #strikeOwn(tally: RoomTally, { eventNid, pairNid }: EventOutline): Promise<void> {
    if (tally.isEmpty || pairNid !== null) return;
    const { thread } = await this.#parts.pushEvents.of(eventNid);
    tally.strike(thread);
  }
}

function keyOf(userNid: number, roomNid: number): string {
  return `${userNid} ${roomNid}`;
}
