import { boundedCache } from "../../cache/bounded-cache.ts";
import type { PushUser } from "../../protocol/push/conditions.ts";
import type { CompiledRuleset } from "../../protocol/push/ruleset.ts";
import type { EventOutline } from "../../storage/events.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import type { StreamChange } from "../../storage/streams.ts";
import { mainThread } from "../../storage/receipts.ts";
import type { UnreadCheckpoint, UnreadCheckpointStore } from "../../storage/unread-checkpoints.ts";
import type { Pace } from "../../telemetry/pace.ts";
import type { AccountDataService } from "../account-data.ts";
import type { ThreadSubscriptions } from "../thread-subscriptions.ts";
import type { PushRuleService } from "../push-rules.ts";
import type { CheckpointWriter } from "./checkpoint-writer.ts";
import type { PushEvents } from "./push-events.ts";
import type { CountedEvent, RecentEvents } from "./recent-events.ts";
import type { RoomStanding, RoomStandings } from "./room-standings.ts";
import { nothingUnread, RoomTally, type UnreadTotals } from "./room-tally.ts";

export interface UnreadCountsParts {
  readonly recentEvents: Pick<RecentEvents, "after">;
  readonly standings: Pick<RoomStandings, "among">;
  readonly checkpoints: Pick<UnreadCheckpointStore, "ofUser">;
  readonly checkpointWriter: Pick<CheckpointWriter, "save">;
  readonly pushEvents: Pick<PushEvents, "of">;
  readonly pushRules: Pick<PushRuleService, "compiledFor" | "untouched">;
  readonly threads: Pick<ThreadSubscriptions, "inThread">;
  readonly accountData: Pick<AccountDataService, "ignoredUsers">;
  readonly names: Pick<NameCache, "userId">;
  readonly pace: Pace;
}

/** How a user stands in a room, as it was read. */
interface ReadStanding {
  /** The tally's `changes` before it was read. */
  readonly changes: number;
  readonly standing: RoomStanding | undefined;
  readonly checkpoint: UnreadCheckpoint | undefined;
}

/** Positions in a room's timeline. */
interface RoomActivity {
  newest: number;
  /** Of the newest redaction that has taken effect. */
  redactedAt: number;
}

/** What one user's count goes by. */
interface Judge {
  readonly rules: CompiledRuleset;
  readonly hasOwnRules: boolean;
  /** User IDs. */
  readonly ignored: ReadonlySet<string>;
  readonly user: PushUser;
}

/** At some 500 bytes each. */
const cachedTallies = 100_000;
const cachedRooms = 50_000;
/** So many rooms are asked for together: a few statements serve them all. */
const roomsAtOnce = 100;
/** Counting so many events anew is worth a write to save it. */
const checkpointInterval = 500;
const latest = Number.MAX_SAFE_INTEGER;

/**
 * How many unread events of a room would notify a user (client-server API, "Receiving notifications"). Nothing is
 * written when an event is sent: whoever asks has the events judged that are new since they asked last.
 */
export class UnreadCounts {
  readonly #parts: UnreadCountsParts;
  readonly #tallies = boundedCache<string, RoomTally>(cachedTallies);
  /** Of rooms that something was sent to since the start. */
  readonly #rooms = boundedCache<number, RoomActivity>(cachedRooms);

  constructor(parts: UnreadCountsParts) {
    this.#parts = parts;
  }

  /** To be told of each commit before its position becomes visible. */
  readonly committed = (_position: number, changes: readonly StreamChange[]): void => {
    for (const { stream, position, nid, redactedNid, readRoomNid, membership } of changes) {
      if (stream === "timeline") this.#note(nid, position, redactedNid !== undefined);
      if (readRoomNid !== undefined) this.#outdate(nid, readRoomNid);
      if (!membership || membership.isRemote) continue;
      if (membership.joined) this.#outdate(nid, membership.roomNid);
      else this.#tallies.delete(keyOf(nid, membership.roomNid));
    }
  };

  /**
   * What a user has not read in a room, of events up to a position; what is known of later ones may be counted too. For
   * whoever is not joined to the room it is nothing.
   */
  async of(userNid: number, roomNid: number, upTo: number): Promise<UnreadTotals> {
    const tally = this.#tally(userNid, roomNid);
    return this.#isCurrent(tally, upTo) ? tally.totals : this.#counted(tally, upTo);
  }

  /** The same in many rooms, in their order. */
  async among(userNid: number, roomNids: readonly number[], upTo: number): Promise<UnreadTotals[]> {
    const totals: UnreadTotals[] = [];
    for (let start = 0; start < roomNids.length; start += roomsAtOnce) {
      const tallies = roomNids.slice(start, start + roomsAtOnce).map((nid) => this.#tally(userNid, nid));
      const stale = tallies.filter((tally) => tally.isStale);
      const read = stale.length > 1 ? await this.#read(userNid, stale) : undefined;
      for (const tally of tallies) {
        const isCurrent = this.#isCurrent(tally, upTo);
        totals.push(isCurrent ? tally.totals : await this.#counted(tally, upTo, read?.get(tally.roomNid)));
      }
    }
    return totals;
  }

  #tally(userNid: number, roomNid: number): RoomTally {
    const key = keyOf(userNid, roomNid);
    const known = this.#tallies.get(key);
    if (known) return known;
    const tally = new RoomTally(userNid, roomNid);
    // Kept before anything is read, so that it is told of what changes meanwhile.
    this.#tallies.set(key, tally);
    return tally;
  }

  async #counted(tally: RoomTally, upTo: number, read?: ReadStanding): Promise<UnreadTotals> {
    const work = tally.work.then(() => this.#advance(tally, upTo, read));
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
    if (tally) tally.changes++;
  }

  async #advance(tally: RoomTally, upTo: number, read: ReadStanding | undefined): Promise<void> {
    await this.#parts.pace.breathe();
    if (tally.isStale) await this.#refresh(tally, read);
    if (!tally.marks || tally.countedUpTo >= upTo) return;
    const redactedAt = this.#rooms.get(tally.roomNid)?.redactedAt ?? 0;
    if (!tally.isEmpty && redactedAt > tally.countedUpTo) tally.restart();
    const events = await this.#parts.recentEvents.after(tally.roomNid, tally.countedUpTo, upTo);
    if (events.length > 0) await this.#count(tally, events);
    tally.countedUpTo = upTo;
    tally.unsaved += events.length;
    if (tally.unsaved < checkpointInterval) return;
    tally.unsaved = 0;
    this.#parts.checkpointWriter.save(tally.checkpoint());
  }

  async #refresh(tally: RoomTally, read: ReadStanding | undefined): Promise<void> {
    const { userNid, roomNid } = tally;
    const isFresh = read?.changes === tally.changes;
    const found = isFresh ? read : (await this.#read(userNid, [tally])).get(roomNid);
    if (!found?.standing) {
      this.#tallies.delete(keyOf(userNid, roomNid));
      return;
    }
    if (!tally.marks && found.checkpoint) tally.resume(found.checkpoint);
    tally.displayName = found.standing.displayName;
    tally.heed(found.standing.marks);
    tally.readChanges = found.changes;
  }

  /** By room. */
  async #read(userNid: number, tallies: readonly RoomTally[]): Promise<ReadonlyMap<number, ReadStanding>> {
    // Before anything is read: what changes from now on makes it stale again.
    const changes = tallies.map((tally) => tally.changes);
    const roomNids = tallies.map(({ roomNid }) => roomNid);
    const { standings, checkpoints } = this.#parts;
    const standing = await standings.among(userNid, roomNids);
    const saved = await checkpoints.ofUser(userNid, roomNids);
    const checkpoint = new Map(saved.map((found) => [found.roomNid, found]));
    return new Map(
      roomNids.map((nid, index) => [
        nid,
        { changes: changes[index] ?? 0, standing: standing.get(nid), checkpoint: checkpoint.get(nid) },
      ]),
    );
  }

  async #count(tally: RoomTally, events: readonly CountedEvent[]): Promise<void> {
    const { pushRules, accountData, names, pace } = this.#parts;
    const rules = await pushRules.compiledFor(tally.userNid);
    const judge: Judge = {
      rules,
      hasOwnRules: rules !== pushRules.untouched,
      ignored: await accountData.ignoredUsers(tally.userNid),
      user: { userId: await names.userId(tally.userNid), displayName: tally.displayName },
    };
    for (const event of events) {
      if (event.senderNid === tally.userNid) await this.#strikeOwn(tally, event);
      else if (!event.isQuiet || judge.hasOwnRules) await this.#judge(tally, event, judge);
      else continue;
      await pace.breathe();
    }
  }

  async #judge(tally: RoomTally, counted: CountedEvent, { rules, ignored, user }: Judge): Promise<void> {
    const { pushEvents, pushRules, threads } = this.#parts;
    const { position } = counted;
    // A tally without marks is not counted.
    if (counted.redactedBy !== null || position <= (tally.marks?.everywhere ?? position)) return;
    const { event, thread } = await pushEvents.of(counted.eventNid);
    counted.isQuiet ??= pushRules.untouched.notifiesNobody(event);
    if (position <= (tally.marks?.upTo(thread) ?? position) || ignored.has(event.sender)) return;
    const reader =
      thread === mainThread ? user : await threads.inThread(user, tally.userNid, tally.roomNid, thread);
    const outcome = rules.evaluate(event, reader);
    if (outcome?.notify) tally.add(thread, position, outcome.highlight);
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
