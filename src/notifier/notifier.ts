import type { LiveMemberships } from "./live-memberships.ts";
import {
  type CommitListener,
  type FaultListener,
  type Stream,
  type StreamChange,
  streamScopes,
} from "../storage/streams.ts";
import { changesByStreams, streamSet } from "./stream-sets.ts";

interface Waiter {
  readonly wake: () => void;
}

interface Follower {
  /** See `streamSet`. */
  readonly streams: number;
  readonly tell: CommitListener;
}

/** Changes remembered for readers that are only a little behind. */
const recentChangesLimit = 65_536;
/** Long polls that one user may have open; the oldest is woken early beyond it. */
const maxWaitersPerUser = 32;

/**
 * Knows how far the one stream is committed and who waits for it to move. It carries positions, never data: the
 * position moves before a waiter wakes, so whoever wakes reads everything up to it.
 */
export class Notifier {
  readonly #memberships: LiveMemberships;
  readonly #onFault: FaultListener;
  readonly #waiters = new Map<number, Set<Waiter>>();
  /** Those who wait for the events of rooms that they need not be in, by room; each is among the waiters as well. */
  readonly #peekers = new Map<number, Set<Waiter>>();
  readonly #followers: Follower[] = [];
  #position = 0;
  #recent: StreamChange[] = [];
  /** Everything after this position is in `#recent`. */
  #recentSince: number | undefined;
  #closed = false;

  constructor(memberships: LiveMemberships, onFault: FaultListener) {
    this.#memberships = memberships;
    this.#onFault = onFault;
  }

  /** Every position up to this one is committed and readable. */
  get position(): number {
    return this.#position;
  }

  get waiting(): number {
    return this.#waiters.size;
  }

  /**
   * Calls back with the changes in some streams before their position becomes visible: for those who keep copies in memory.
   * Nobody is told of a commit without any.
   */
  follow(streams: readonly Stream[], tell: CommitListener): void {
    this.#followers.push({ streams: streamSet(streams), tell });
  }

  /** To be called after each commit, in order. */
  readonly committed = (position: number, changes: readonly StreamChange[]): void => {
    this.#recentSince ??= position;
    for (const { nid, membership } of changes) if (membership) this.#memberships.apply(nid, membership);
    this.#tellFollowers(position, changes);
    this.#position = Math.max(this.#position, position);
    this.#remember(changes);
    if (this.#waiters.size > 0) this.#wakeFor(changes);
  };

  /** The changes after a position, oldest first, or `undefined` when that is too long ago to remember. */
  changesSince(position: number): readonly StreamChange[] | undefined {
    if (this.#recentSince === undefined || position < this.#recentSince) return undefined;
    return this.#recent.slice(firstAfter(this.#recent, position));
  }

  /**
   * Waits until something that may concern the user is committed after `position`. The user's rooms have to be loaded in
   * the live memberships: who finds that they have been forgotten is told to look again at once.
   * @param peekedRoomNid a room whose events concern the user, too, without being in it
   * @returns true when there may be something, false after `timeoutMs`, on abort or at shutdown.
   */
  wait(
    userNid: number,
    position: number,
    timeoutMs: number,
    signal: AbortSignal,
    peekedRoomNid?: number,
  ): Promise<boolean> {
    if (this.#mayConcern(userNid, position, peekedRoomNid)) return Promise.resolve(true);
    if (timeoutMs <= 0 || signal.aborted || this.#closed) return Promise.resolve(false);
    if (!this.#memberships.roomsOf(userNid)) return Promise.resolve(true);
    return new Promise((resolve) => {
      const finish = (woken: boolean) => {
        clearTimeout(timer);
        signal.removeEventListener("abort", onAbort);
        this.#removeWaiter(userNid, waiter);
        if (peekedRoomNid !== undefined) this.#stopPeeking(peekedRoomNid, waiter);
        resolve(woken);
      };
      const onAbort = () => finish(false);
      const waiter: Waiter = { wake: () => finish(!this.#closed) };
      const timer = setTimeout(finish, timeoutMs, false);
      signal.addEventListener("abort", onAbort);
      if (peekedRoomNid !== undefined) this.#peek(peekedRoomNid, waiter);
      this.#addWaiter(userNid, waiter);
    });
  }

  /** Wakes a user's waiters for a reason that has no position, such as the end of a device. */
  wakeUser(userNid: number): void {
    const waiters = this.#waiters.get(userNid);
    if (waiters) for (const waiter of waiters) waiter.wake();
  }

  /** Whether the server is stopping. */
  get isClosed(): boolean {
    return this.#closed;
  }

  /** Ends every wait; later ones return at once. */
  close(): void {
    this.#closed = true;
    for (const userNid of this.#waiters.keys()) this.wakeUser(userNid);
  }

  #tellFollowers(position: number, changes: readonly StreamChange[]): void {
    const changesOf = changesByStreams(changes);
    for (const { streams, tell } of this.#followers) {
      const wanted = changesOf(streams);
      if (wanted.length === 0) continue;
      try {
        tell(position, wanted);
      } catch (error) {
        // What is committed is committed: a follower's fault concerns neither those who wrote nor the other followers.
        this.#onFault(error);
      }
    }
  }

  #mayConcern(userNid: number, position: number, peekedRoomNid: number | undefined): boolean {
    if (position >= this.#position) return false;
    const changes = this.changesSince(position);
    if (!changes) return true;
    return changes.some(
      (change) =>
        this.concerns(change, userNid) || (change.stream === "timeline" && change.nid === peekedRoomNid),
    );
  }

  /**
   * Whether a change may be of interest to a user. What concerns the neighbours of somebody is taken to concern
   * everybody: who wakes looks closer.
   */
  concerns({ stream, nid }: StreamChange, userNid: number): boolean {
    const scope = streamScopes[stream];
    if (scope === "user") return nid === userNid;
    if (scope === "room") return this.#memberships.roomsOf(userNid)?.has(nid) ?? true;
    return true;
  }

  /** A commit holds many changes; a room that has several of them is woken once. */
  #wakeFor(changes: readonly StreamChange[]): void {
    const rooms = new Set<number>();
    const neighboursOf = new Set<number>();
    for (const { stream, nid } of changes) {
      const scope = streamScopes[stream];
      if (scope === "user") this.wakeUser(nid);
      else if (scope === "room") rooms.add(nid);
      else neighboursOf.add(nid);
    }
    for (const roomNid of rooms) this.#wakeRoom(roomNid);
    if (neighboursOf.size > 0) this.#wakeNeighbours(neighboursOf).catch(this.#onFault);
  }

  #wakeRoom(roomNid: number): void {
    for (const userNid of this.#memberships.liveMembersOf(roomNid)) this.wakeUser(userNid);
    const peekers = this.#peekers.get(roomNid);
    if (peekers) for (const waiter of peekers) waiter.wake();
  }

  /** Those who change together share rooms. */
  async #wakeNeighbours(userNids: ReadonlySet<number>): Promise<void> {
    for (const userNid of userNids) this.wakeUser(userNid);
    const rooms = new Set<number>();
    for (const userNid of userNids) {
      for (const roomNid of await this.#memberships.load(userNid)) rooms.add(roomNid);
    }
    for (const roomNid of rooms) this.#wakeRoom(roomNid);
  }

  #remember(changes: readonly StreamChange[]): void {
    for (const change of changes) this.#recent.push(change);
    // Dropping half at a time keeps the cost of a change constant.
    if (this.#recent.length <= recentChangesLimit * 2) return;
    const dropped = this.#recent.length - recentChangesLimit;
    this.#recentSince = this.#recent[dropped - 1]?.position ?? this.#recentSince;
    this.#recent = this.#recent.slice(dropped);
  }

  #peek(roomNid: number, waiter: Waiter): void {
    const peekers = this.#peekers.get(roomNid) ?? new Set();
    peekers.add(waiter);
    this.#peekers.set(roomNid, peekers);
  }

  #stopPeeking(roomNid: number, waiter: Waiter): void {
    const peekers = this.#peekers.get(roomNid);
    peekers?.delete(waiter);
    if (peekers?.size === 0) this.#peekers.delete(roomNid);
  }

  #addWaiter(userNid: number, waiter: Waiter): void {
    const waiters = this.#waiters.get(userNid) ?? new Set();
    waiters.add(waiter);
    this.#waiters.set(userNid, waiters);
    this.#memberships.hold(userNid);
    if (waiters.size <= maxWaitersPerUser) return;
    const [oldest] = waiters;
    oldest?.wake();
  }

  #removeWaiter(userNid: number, waiter: Waiter): void {
    const waiters = this.#waiters.get(userNid);
    waiters?.delete(waiter);
    if (waiters?.size !== 0) return;
    this.#waiters.delete(userNid);
    this.#memberships.release(userNid);
  }
}

/** Index of the first change after a position; changes are in order. */
function firstAfter(changes: readonly StreamChange[], position: number): number {
  let low = 0;
  let high = changes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((changes[middle]?.position ?? 0) <= position) low = middle + 1;
    else high = middle;
  }
  return low;
}
