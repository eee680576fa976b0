import type { PresenceState, PresenceStore, UserPresence } from "../../storage/presence.ts";
import { ReadCache } from "../../storage/read-cache.ts";
import type { StreamChange } from "../../storage/streams.ts";
import type { Clock, Timer } from "../../telemetry/clock.ts";
import type { Logger } from "../../telemetry/log.ts";
import { PresenceRounds } from "./presence-rounds.ts";
import { PresentUser } from "./present-user.ts";
import { RemoteUser } from "./remote-user.ts";

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
/** Likewise, for users of other servers. */
const maxRemoteUsers = 20_000;
/** Other servers say of those who are there, every 25 minutes or so, that they still are. */
const maxSilenceMs = 30 * 60_000;
/** Of users of other servers who are gone so many are remembered. */
const keptRemoteUsers = 20_000;
/** After so many have come or gone, those who are to be forgotten are. */
const remoteChangesBetweenSweeps = 1_000;
/** Others are looked up once in a while. */
const cachedAbsentUsers = 20_000;

/** How another server says that one of its users is to be seen. */
export type ToldPresence = Omit<UserPresence, "userNid">;

/**
 * How users are seen by others (client-server API, "Presence"). Users who are there live in memory; what has changed is
 * stored, and takes its positions, in rounds.
 */
export class Presence implements AsyncDisposable {
  readonly #store: PresenceStore;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #present = new Map<number, PresentUser | RemoteUser>();
  readonly #absent: ReadCache<number, UserPresence | undefined>;
  readonly #rounds: PresenceRounds;
  #remoteUsers = 0;
  #remoteChanges = 0;
  #sweep: Timer | undefined;
  #closed = false;

  constructor(store: PresenceStore, clock: Clock, log: Logger) {
    this.#store = store;
    this.#clock = clock;
    this.#log = log;
    this.#absent = new ReadCache(cachedAbsentUsers, (userNid) => store.find(userNid));
    this.#rounds = new PresenceRounds({
      store,
      clock,
      log,
      presenceOf: (userNid) => this.#present.get(userNid)?.presence,
      crowd: () => this.#present.size - this.#remoteUsers,
      stored: (userNid) => this.#absent.forget(userNid),
    });
  }

  /** Takes up who was there when the server stopped: they have a moment to come back before others see them leave. */
  async resume(): Promise<void> {
    const nowMs = this.#clock.monotonicMs();
    for (const { isLocal, ...last } of await this.#store.present(maxPresentUsers + maxRemoteUsers)) {
      if (!isLocal) {
        this.#addRemote(new RemoteUser(last, nowMs + maxSilenceMs));
        continue;
      }
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
      else if (membership?.joined && this.#present.has(nid)) this.#rounds.tell(nid);
    }
  };

  /**
   * A device begins to sync. One that asks for `offline` is not seen, and changes nothing.
   * @param timeoutMs for how long it may wait for an answer
   */
  async syncing(userNid: number, deviceId: string, state: PresenceState, timeoutMs: number): Promise<void> {
    if (state === "offline") return;
    const user = this.#own(userNid) ?? (await this.#come(userNid));
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
    const user = this.#own(userNid) ?? (await this.#come(userNid));
    user.connect(deviceId, state, this.#clock.monotonicMs(), graceMs);
    // "The activity time is updated to reflect that activity."
    user.lastActiveTs = this.#clock.nowMs();
    this.#say(user, statusMessage);
    this.#update(user);
  }

  /** A user who is seen has done something by themselves: "will cause the server to automatically set [...] online". */
  active(userNid: number): void {
    const user = this.#present.get(userNid);
    if (!user || user.told === "offline") return;
    user.lastActiveTs = this.#clock.nowMs();
    // How a user of another server is seen is that server's to say.
    if (user.told === "online" || user instanceof RemoteUser) return;
    user.connect(ownDeed, "online", this.#clock.monotonicMs(), activeForMs);
    this.#update(user);
  }

  /** Another server tells of one of its users. They are offline when it has been silent for half an hour. */
  async heard(userNid: number, { state, statusMessage, lastActiveTs }: ToldPresence): Promise<void> {
    if (!this.#present.has(userNid)) await this.#meet(userNid, state);
    const user = this.#present.get(userNid);
    if (!(user instanceof RemoteUser)) return;
    user.lastActiveTs = lastActiveTs;
    user.hear(state, this.#clock.monotonicMs() + maxSilenceMs);
    this.#say(user, statusMessage);
    this.#update(user);
  }

  /** How a user is seen; `undefined` for one of whom nothing is known. */
  of(userNid: number): Promise<UserPresence | undefined> {
    const user = this.#present.get(userNid);
    return user ? Promise.resolve(user.presence) : this.#absent.get(userNid);
  }

  /** The users of this server who are seen as being there. */
  *ownUsersPresent(): Iterable<number> {
    for (const user of this.#present.values()) {
      if (user instanceof PresentUser && user.told !== "offline") yield user.userNid;
    }
  }

  /** Whether a user of this server is seen as being there. */
  isPresent(userNid: number): boolean {
    return (this.#own(userNid)?.told ?? "offline") !== "offline";
  }

  /** Users whose changes are about to be stored. */
  get changing(): Iterable<number> {
    return this.#rounds.waiting;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#sweep?.cancel();
    try {
      await this.#rounds[Symbol.asyncDispose]();
      await this.#store.noteActivity([...this.#present.values()].map(({ presence }) => presence));
    } catch (error) {
      this.#log.warn({ err: error }, "the last changes of presence were not stored");
    }
  }

  #own(userNid: number): PresentUser | undefined {
    const user = this.#present.get(userNid);
    return user instanceof PresentUser ? user : undefined;
  }

  async #come(userNid: number): Promise<PresentUser> {
    const last = await this.#absent.get(userNid);
    const known = this.#own(userNid);
    if (known) return known;
    const user = new PresentUser(
      last ?? { userNid, state: "offline", statusMessage: null, lastActiveTs: this.#clock.nowMs() },
    );
    if (this.#present.size - this.#remoteUsers < maxPresentUsers) this.#present.set(userNid, user);
    this.#sweepLater();
    return user;
  }

  /** Begins to follow a user of another server, unless they are not there, and have not been, or there are too many. */
  async #meet(userNid: number, state: PresenceState): Promise<void> {
    const last = await this.#absent.get(userNid);
    if (this.#present.has(userNid) || this.#remoteUsers >= maxRemoteUsers) return;
    if (state === "offline" && !last) return;
    const unknown = { userNid, state: "offline", statusMessage: null, lastActiveTs: 0 } as const;
    this.#addRemote(new RemoteUser(last ?? unknown, 0));
    this.#sweepLater();
  }

  #addRemote(user: RemoteUser): void {
    this.#present.set(user.userNid, user);
    this.#remoteUsers += 1;
  }

  #say(user: PresentUser | RemoteUser, statusMessage: string | null): void {
    if (user.statusMessage === statusMessage) return;
    user.statusMessage = statusMessage;
    this.#rounds.tell(user.userNid);
  }

  #update(user: PresentUser | RemoteUser): void {
    const state = user.stateAt(this.#clock.monotonicMs(), this.#clock.nowMs());
    if (state === user.told) return;
    user.told = state;
    this.#rounds.tell(user.userNid);
    if (user instanceof RemoteUser) this.#remoteChanges += 1;
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
      if (user.told === "offline" && !this.#rounds.has(userNid)) {
        this.#present.delete(userNid);
        if (user instanceof RemoteUser) this.#remoteUsers -= 1;
        continue;
      }
      this.#update(user);
    }
    if (this.#remoteChanges >= remoteChangesBetweenSweeps) this.#forgetRemote();
  }

  #forgetRemote(): void {
    this.#remoteChanges = 0;
    this.#store.forgetRemote(keptRemoteUsers).catch((error: unknown) => {
      this.#log.warn({ err: error }, "users of other servers who are gone were not forgotten");
    });
  }
}
