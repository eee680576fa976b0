import type { EventStore, StoredEvent } from "../storage/events.ts";
import type { MembershipStore } from "../storage/memberships.ts";
import type { Pusher, PusherBehind, PusherStore } from "../storage/pushers.ts";
import type { RoomStore } from "../storage/rooms.ts";
import type { StreamChange } from "../storage/streams.ts";
import type { Clock, Timer } from "../telemetry/clock.ts";
import type { Logger } from "../telemetry/log.ts";
import type { EventReader } from "../state/event-reader.ts";
import type { Pace } from "../telemetry/pace.ts";
import type { RoomTimelines } from "../timeline/room-timelines.ts";
import type { Badges } from "./badges.ts";
import type { PushAudiences } from "./push-audiences.ts";
import type { DueEvent, PushDelivery } from "./push-delivery.ts";
import type { PushJudge } from "./push-judge.ts";
import { PushProgressKeeper } from "./push-progress.ts";

export interface PushWorkerParts {
  readonly store: Pick<PusherStore, "ofUser" | "byNid" | "progress" | "saveProgress">;
  readonly rooms: Pick<RoomStore, "withEventsAfter">;
  readonly eventStore: Pick<EventStore, "placesInJoinedRooms">;
  readonly memberships: Pick<MembershipStore, "roomsOf">;
  readonly events: Pick<EventReader, "storedAll">;
  readonly timelines: Pick<RoomTimelines, "newestAcrossGaps">;
  readonly audiences: PushAudiences;
  readonly judge: PushJudge;
  readonly badges: Badges;
  readonly delivery: PushDelivery;
  /** The newest position. */
  readonly position: () => number;
  readonly clock: Clock;
  readonly pace: Pace;
  readonly log: Logger;
}

/** Positions of a room's timeline that nobody has looked at. */
interface Unjudged {
  after: number;
  upTo: number;
  /** Whether somebody with pushers may have been invited. */
  mayInvite: boolean;
  failures: number;
}

/** Of what has come at once, such as while push was down, so many events of a room are looked at, the newest. */
const maxJudged = 1_000;
/** So far back a pusher that is behind looks for what it has not told. */
const maxLookedBack = 200;
const retryMs = 1_000;
const maxFailures = 60;

/**
 * Follows the one stream and hands to the delivery what concerns users with pushers. Nothing is written when an event is
 * sent: how far push has got is stored now and then, and what came after is looked at again after a restart.
 */
export class PushWorker implements AsyncDisposable {
  readonly #parts: PushWorkerParts;
  readonly #progress: PushProgressKeeper;
  readonly #unjudged = new Map<number, Unjudged>();
  /** Users whose badge may have changed. */
  readonly #readers = new Set<number>();
  #toRestore: readonly PusherBehind[] = [];
  #restoreUpTo = 0;
  #work: Promise<void> | undefined;
  #retry: Timer | undefined;
  #closed = false;

  constructor(parts: PushWorkerParts) {
    this.#parts = parts;
    this.#progress = new PushProgressKeeper(parts.store, () => this.#report(), parts);
  }

  /** Takes up what was left when the server stopped. To be called once, before anything is committed. */
  async resume(): Promise<void> {
    const { store, rooms, audiences, position } = this.#parts;
    await audiences.load();
    const progress = await store.progress();
    if (progress) {
      this.#toRestore = progress.behind;
      this.#restoreUpTo = progress.upTo;
      this.#progress.resume(progress.behind);
      if (!audiences.isEmpty) {
        for (const roomNid of await rooms.withEventsAfter(progress.upTo)) {
          this.#unjudged.set(roomNid, {
            after: progress.upTo,
            upTo: position(),
            mayInvite: true,
            failures: 0,
          });
        }
      }
    }
    this.#wake();
  }

  /** To be told of each commit before its position becomes visible. */
  readonly committed = (_position: number, changes: readonly StreamChange[]): void => {
    const { audiences } = this.#parts;
    if (audiences.isEmpty) return;
    for (const { stream, nid, position, membership, readRoomNid } of changes) {
      if (stream === "timeline") this.#note(nid, position);
      // The event has come before, in the same commit.
      const unjudged = membership && audiences.has(nid) && this.#unjudged.get(membership.roomNid);
      if (unjudged) unjudged.mayInvite = true;
      if (readRoomNid !== undefined && audiences.has(nid)) this.#readers.add(nid);
    }
    this.#wake();
  };

  /** To be called after a user's pusher has been stored. */
  async pusherSet(userNid: number): Promise<void> {
    if (this.#parts.audiences.has(userNid)) return;
    await this.#parts.audiences.add(userNid);
    // What has come before is not for it; what comes from now on is, though the server be killed at once.
    await this.#progress.save();
  }

  /** To be called when something has been told. */
  readonly told = (): void => this.#progress.changed();

  /** Stops; what has not been told by then is told after the next start. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#retry?.cancel();
    await this.#work;
    await this.#parts.delivery[Symbol.asyncDispose]();
    await this.#progress.save();
  }

  #note(roomNid: number, position: number): void {
    const known = this.#unjudged.get(roomNid);
    if (known) known.upTo = position;
    else this.#unjudged.set(roomNid, { after: position - 1, upTo: position, mayInvite: false, failures: 0 });
  }

  #report(): { upTo: number; behind: readonly PusherBehind[] } {
    let upTo = this.#parts.position();
    for (const { after } of this.#unjudged.values()) upTo = Math.min(upTo, after);
    return { upTo, behind: [...this.#parts.delivery.behind(), ...this.#toRestore] };
  }

  get #hasWork(): boolean {
    return this.#toRestore.length > 0 || this.#unjudged.size > 0 || this.#readers.size > 0;
  }

  #wake(): void {
    if (this.#closed || this.#work || this.#retry || !this.#hasWork) return;
    this.#work = this.#doWork().finally(() => {
      this.#work = undefined;
      this.#progress.changed();
      // What has come while the work was ending.
      this.#wake();
    });
  }

  async #doWork(): Promise<void> {
    // After the commit's other followers have been told.
    await Promise.resolve();
    try {
      while (!this.#closed && this.#hasWork) {
        await this.#restoreNext();
        await this.#judgeNext();
        await this.#tellNextReader();
      }
    } catch (error) {
      this.#parts.log.error({ err: error }, "push notifications could not be worked out; tried again");
      this.#retry = this.#parts.clock.setTimer(retryMs, () => {
        this.#retry = undefined;
        this.#wake();
      });
    }
  }

  /** Finds what one pusher that was behind has not told. */
  async #restoreNext(): Promise<void> {
    const [next] = this.#toRestore;
    if (!next) return;
    const pusher = await this.#parts.store.byNid(next.pusherNid);
    const events = pusher ? await this.#missed(pusher.userNid, next.deliveredUpTo) : [];
    for (const event of events) {
      if (!pusher || !(await this.#parts.judge.notifies(pusher.userNid, event))) continue;
      this.#parts.delivery.addEvent(pusher, due(event, event.originServerTs));
    }
    this.#toRestore = this.#toRestore.slice(1);
  }

  /** What has come for a user after a position, up to where every event has been judged; oldest first. */
  async #missed(userNid: number, after: number): Promise<StoredEvent[]> {
    const { eventStore, memberships, events } = this.#parts;
    const places = await eventStore.placesInJoinedRooms(userNid, this.#restoreUpTo, maxLookedBack);
    const invites = await memberships.roomsOf(userNid, ["invite"]);
    const nids = [...places, ...invites].flatMap(({ eventNid, position }) =>
      position > after && position <= this.#restoreUpTo ? [eventNid] : [],
    );
    const missed = await events.storedAll(nids);
    return missed.toSorted((a, b) => (a.position ?? 0) - (b.position ?? 0));
  }

  /** Judges what is new in one room. */
  async #judgeNext(): Promise<void> {
    const [next] = this.#unjudged;
    if (!next) return;
    const [roomNid, stretch] = next;
    const { upTo } = stretch;
    try {
      await this.#judgeStretch(roomNid, stretch);
    } catch (error) {
      // Other rooms come first the next time, and one that can never be judged does not hold push up for ever.
      this.#unjudged.delete(roomNid);
      stretch.failures += 1;
      if (stretch.failures < maxFailures) this.#unjudged.set(roomNid, stretch);
      throw error;
    }
    stretch.failures = 0;
    if (stretch.upTo > upTo) stretch.after = upTo;
    else this.#unjudged.delete(roomNid);
  }

  async #judgeStretch(roomNid: number, { after, upTo, mayInvite }: Unjudged): Promise<void> {
    const members = await this.#parts.audiences.of(roomNid);
    if (members.length === 0 && !mayInvite) return;
    const events = await this.#parts.timelines.newestAcrossGaps(roomNid, after, upTo, maxJudged);
    for (const event of events) await this.#judge(event);
  }

  async #judge(event: StoredEvent): Promise<void> {
    const { audiences, judge, badges, delivery, pace } = this.#parts;
    for (const userNid of await judge.notified(event)) {
      await pace.breathe();
      badges.outdate(userNid, event.roomNid);
      const pushers = await this.#pushersOf(userNid);
      for (const pusher of pushers) delivery.addEvent(pusher, due(event, this.#parts.clock.nowMs()));
    }
    // Whoever sends a message has read what it answers.
    if (event.pairNid !== null || !audiences.has(event.senderNid)) return;
    badges.outdate(event.senderNid, event.roomNid);
    this.#readers.add(event.senderNid);
  }

  async #tellNextReader(): Promise<void> {
    const [userNid] = this.#readers;
    if (userNid === undefined) return;
    // Before: who reads from now on has read again.
    this.#readers.delete(userNid);
    for (const pusher of await this.#pushersOf(userNid)) this.#parts.delivery.addBadge(pusher);
  }

  async #pushersOf(userNid: number): Promise<readonly Pusher[]> {
    const pushers = await this.#parts.store.ofUser(userNid);
    if (pushers.length > 0) return pushers;
    const { audiences, store } = this.#parts;
    await audiences.remove(userNid);
    // One may have been set in this very moment.
    const set = await store.ofUser(userNid);
    if (set.length > 0) await audiences.add(userNid);
    return set;
  }
}

function due({ eventNid, position }: StoredEvent, dueTs: number): DueEvent {
  return { eventNid, position: position ?? 0, dueTs };
}
