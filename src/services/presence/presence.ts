import type { PresenceState, PresenceStore, UserPresence } from "../../storage/presence.ts";
import { ReadCache } from "../../storage/read-cache.ts";
import type { StreamChange } from "../../storage/streams.ts";
import type { Clock, Timer } from "../../telemetry/clock.ts";
import type { Logger } from "../../telemetry/log.ts";
import { PresentUser } from "./present-user.ts";

/** A client that comes back within this time after a sync was there all the while. */
const graceMs = 30_000;
const maxSyncMs = 60_000;
const sweepIntervalMs = 5_000;
/** For how long doing something makes a user seen as online, whatever their devices say. */
const activeForMs = 60_000;
/** The connection that such a deed stands for: device IDs are not empty. */
const ownDeed = "";
/** More users than this are seen as offline until there is room for them. */
const maxPresentUsers = 100_000;
/** Others are looked up once in a while. */
const cachedAbsentUsers = 20_000;
/**
 * A change wakes whoever shares a room, which may be everybody who is there. With a pause of this length for each of them
 * between two rounds of changes, presence wakes at most 200 long polls a second, on a small server at once and on a
 * large one seconds later.
 */
const pausePerUserMs = 5;
const maxPauseMs = 10_000;

/**
 * How users are seen by others (client-server API, "Presence"). Users who are there live in memory; what has changed is
 * stored, and takes its positions, in rounds.
 */
export class Presence implements AsyncDisposable {
  readonly #store: PresenceStore;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #present = new Map<number, PresentUser>();
  readonly #absent: ReadCache<number, UserPresence | undefined>;
  /** Users of whom others have to be told. */
  #changed = new Set<number>();
  #nextRoundMs = 0;
  #round: Timer | undefined;
  #running: Promise<void> | undefined;
  #sweep: Timer | undefined;
  #closed = false;

  constructor(store: PresenceStore, clock: Clock, log: Logger) {
    this.#store = store;
    this.#clock = clock;
    this.#log = log;
    this.#absent = new ReadCache(cachedAbsentUsers, (userNid) => store.find(userNid));
  }

  /** Takes up who was there when the server stopped: they have a moment to come back before others see them leave. */
  async resume(): Promise<void> {
    const nowMs = this.#clock.monotonicMs();
    for (const last of await this.#store.present(maxPresentUsers)) {
      const user = new PresentUser(last);
      user.connect(ownDeed, last.state, nowMs, graceMs);
      this.#present.set(last.userNid, user);
    }
    this.#sweepLater();
  }

  /** To be told of each commit: who sends a message or reads is active, and who joins a room is new to those in it. */
  readonly committed = (_position: number, changes: readonly StreamChange[]): void => {
    for (const { nid, senderNid, readRoomNid, membership } of changes) {
      if (senderNid !== undefined) this.active(senderNid);
      else if (readRoomNid !== undefined) this.active(nid);
      else if (membership?.joined && this.#present.has(nid)) this.#tell(nid);
    }
  };

  /**
   * A device begins to sync. One that asks for `offline` is not seen, and changes nothing.
   * @param timeoutMs for how long it may wait for an answer
   */
  async syncing(userNid: number, deviceId: string, state: PresenceState, timeoutMs: number): Promise<void> {
    if (state === "offline") return;
    const user = this.#present.get(userNid) ?? (await this.#come(userNid));
    const forMs = Math.min(timeoutMs, maxSyncMs) + graceMs;
    const isNews = user.connect(deviceId, state, this.#clock.monotonicMs(), forMs);
    if (isNews && state === "online") user.lastActiveTs = this.#clock.nowMs();
    this.#update(user);
  }

  /** Sets a user's state, as one of their devices sees it, and their status message. */
  async set(
    userNid: number,
    deviceId: string,
    state: PresenceState,
    statusMessage: string | null,
  ): Promise<void> {
    const user = this.#present.get(userNid) ?? (await this.#come(userNid));
    user.connect(deviceId, state, this.#clock.monotonicMs(), graceMs);
    // "The activity time is updated to reflect that activity."
    user.lastActiveTs = this.#clock.nowMs();
    if (user.statusMessage !== statusMessage) {
      user.statusMessage = statusMessage;
      this.#tell(userNid);
    }
    this.#update(user);
  }

  /** A user who is seen has done something by themselves: "will cause the server to automatically set [...] online". */
  active(userNid: number): void {
    const user = this.#present.get(userNid);
    if (!user || user.told === "offline") return;
    user.lastActiveTs = this.#clock.nowMs();
    if (user.told === "online") return;
    user.connect(ownDeed, "online", this.#clock.monotonicMs(), activeForMs);
    this.#update(user);
  }

  /** How a user is seen; `undefined` for one of whom nothing is known. */
  of(userNid: number): Promise<UserPresence | undefined> {
    const user = this.#present.get(userNid);
    return user ? Promise.resolve(user.presence) : this.#absent.get(userNid);
  }

  /** The users who are seen as being there. */
  *everybodyPresent(): Iterable<number> {
    for (const { userNid, told } of this.#present.values()) if (told !== "offline") yield userNid;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#sweep?.cancel();
    this.#round?.cancel();
    await this.#running;
    try {
      await this.#tellAll();
      await this.#store.noteActivity([...this.#present.values()].map(({ presence }) => presence));
    } catch (error) {
      this.#log.warn({ err: error }, "the last changes of presence were not stored");
    }
  }

  async #come(userNid: number): Promise<PresentUser> {
    const last = await this.#absent.get(userNid);
    const known = this.#present.get(userNid);
    if (known) return known;
    const user = new PresentUser(
      last ?? { userNid, state: "offline", statusMessage: null, lastActiveTs: this.#clock.nowMs() },
    );
    if (this.#present.size < maxPresentUsers) this.#present.set(userNid, user);
    this.#sweepLater();
    return user;
  }

  #update(user: PresentUser): void {
    const state = user.stateAt(this.#clock.monotonicMs(), this.#clock.nowMs());
    if (state === user.told) return;
    user.told = state;
    this.#tell(user.userNid);
  }

  #tell(userNid: number): void {
    this.#changed.add(userNid);
    if (this.#round || this.#running || this.#closed) return;
    const waitMs = Math.max(0, this.#nextRoundMs - this.#clock.monotonicMs());
    this.#round = this.#clock.setTimer(waitMs, () => {
      this.#round = undefined;
      this.#running = this.#runRound();
    });
  }

  async #runRound(): Promise<void> {
    try {
      await this.#tellAll();
    } catch (error) {
      this.#log.warn({ err: error }, "changes of presence were not stored; trying again");
    }
    const pauseMs = Math.min(this.#present.size * pausePerUserMs, maxPauseMs);
    this.#nextRoundMs = this.#clock.monotonicMs() + pauseMs;
    this.#running = undefined;
    const [waiting] = this.#changed;
    if (waiting !== undefined) this.#tell(waiting);
  }

  async #tellAll(): Promise<void> {
    const changed = this.#changed;
    if (changed.size === 0) return;
    this.#changed = new Set();
    const users = [...changed].flatMap((userNid) => this.#present.get(userNid) ?? []);
    try {
      await this.#store.put(users.map(({ presence }) => presence));
    } catch (error) {
      this.#changed = changed.union(this.#changed);
      throw error;
    }
    for (const { userNid } of users) this.#absent.forget(userNid);
  }

  #sweepLater(): void {
    if (this.#sweep || this.#closed || this.#present.size === 0) return;
    this.#sweep = this.#clock.setTimer(sweepIntervalMs, () => {
      this.#sweep = undefined;
      this.#sweepNow();
      this.#sweepLater();
    });
  }

  /** Users become idle, and go, without anybody saying so. */
  #sweepNow(): void {
    for (const [userNid, user] of this.#present) {
      // Whoever has gone is forgotten when that has been stored.
      if (user.told === "offline" && !this.#changed.has(userNid) && !this.#running) {
        this.#present.delete(userNid);
        continue;
      }
      this.#update(user);
    }
  }
}
