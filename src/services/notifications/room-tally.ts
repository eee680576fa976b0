import type { ThreadCount, UnreadCheckpoint } from "../../storage/unread-checkpoints.ts";
import type { ReadMarks } from "./read-marks.ts";

export interface UnreadCount {
  readonly notifications: number;
  readonly highlights: number;
}

/** What is unread in a room. */
export interface UnreadTotals extends UnreadCount {
  /** By thread: the event ID of its root, or `main`. Threads without unread notifications are left out. */
  readonly byThread: ReadonlyMap<string, UnreadCount>;
}

export const nothingUnread: UnreadTotals = { notifications: 0, highlights: 0, byThread: new Map() };

/** What one user has not read in one room, counted up to some position. */
export class RoomTally {
  readonly userNid: number;
  readonly roomNid: number;
  /** Events up to this position are counted. */
  countedUpTo = 0;
  /** How often the user's receipts, name or membership have changed, and how many of the changes have been read. */
  changes = 0;
  readChanges = -1;
  /** Events counted that would have to be counted anew if this was lost. */
  unsaved = 0;
  /** The user's display name in the room. */
  displayName: string | undefined;
  /** Ends when whoever counts at the moment is done. */
  work: Promise<void> = Promise.resolve();
  #marks: ReadMarks | undefined;
  #threads = new Map<string, ThreadCount>();
  #totals: UnreadTotals | undefined = nothingUnread;

  constructor(userNid: number, roomNid: number) {
    this.userNid = userNid;
    this.roomNid = roomNid;
  }

  /** Up to where the user has read; `undefined` before the first {@link heed}. */
  get marks(): ReadMarks | undefined {
    return this.#marks;
  }

  /** Whether the user's receipts, name or membership may be others than those that were read. */
  get isStale(): boolean {
    return this.readChanges !== this.changes;
  }

  get isEmpty(): boolean {
    return this.#threads.size === 0;
  }

  get totals(): UnreadTotals {
    if (this.#totals) return this.#totals;
    let notifications = 0;
    let highlights = 0;
    for (const thread of this.#threads.values()) {
      notifications += thread.notifications;
      highlights += thread.highlights;
    }
    this.#totals = { notifications, highlights, byThread: new Map(this.#threads) };
    return this.#totals;
  }

  /** Takes up what was counted before. */
  resume({ countedUpTo, threads }: UnreadCheckpoint): void {
    this.countedUpTo = countedUpTo;
    this.#threads = new Map(threads);
    this.#totals = undefined;
  }

  /** Strikes out what has been read. Where a receipt lies amidst what was counted, all has to be counted anew. */
  heed(marks: ReadMarks): void {
    this.#marks = marks;
    if (marks.everywhere >= this.countedUpTo) return this.restart();
    for (const [thread, { first, last }] of this.#threads) {
      const readUpTo = marks.upTo(thread);
      if (last <= readUpTo) this.strike(thread);
      else if (first <= readUpTo) return this.restart();
    }
  }

  /** Nothing is counted any longer. */
  restart(): void {
    this.#threads.clear();
    this.#totals = nothingUnread;
    this.countedUpTo = this.#marks?.everywhere ?? 0;
    this.unsaved = 0;
  }

  /** A thread has been read. */
  strike(thread: string): void {
    if (this.#threads.delete(thread)) this.#totals = undefined;
  }

  add(thread: string, position: number, isHighlight: boolean): void {
    const before = this.#threads.get(thread);
    this.#threads.set(thread, {
      notifications: (before?.notifications ?? 0) + 1,
      highlights: (before?.highlights ?? 0) + (isHighlight ? 1 : 0),
      first: before?.first ?? position,
      last: position,
    });
    this.#totals = undefined;
  }

  /** For storage. */
  checkpoint(): UnreadCheckpoint {
    const { userNid, roomNid, countedUpTo } = this;
    return { userNid, roomNid, countedUpTo, threads: new Map(this.#threads) };
  }
}
