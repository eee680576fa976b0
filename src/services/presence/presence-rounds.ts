import type { PresenceStore, UserPresence } from "../../storage/presence.ts";
import type { Clock, Timer } from "../../telemetry/clock.ts";
import type { Logger } from "../../telemetry/log.ts";

/**
 * A change wakes whoever shares a room, which may be everybody who is there. With a pause of this length for each of them
 * between two rounds of changes, presence wakes at most 200 long polls a second, on a small server at once and on a
 * large one seconds later.
 */
const pausePerUserMs = 5;
const maxPauseMs = 10_000;
/** However few are there: another server may change its mind as often as it likes. */
const minPauseMs = 200;

export interface PresenceRoundsParts {
  readonly store: Pick<PresenceStore, "put">;
  readonly clock: Clock;
  readonly log: Logger;
  /** How a user is seen now; `undefined` for one who is forgotten. */
  readonly presenceOf: (userNid: number) => UserPresence | undefined;
  /** How many users of this server are there. */
  readonly crowd: () => number;
  /** To be called when a user's change has been stored. */
  readonly stored: (userNid: number) => void;
}

/** Stores changes of presence, which is how others hear of them, in rounds. */
export class PresenceRounds implements AsyncDisposable {
  readonly #parts: PresenceRoundsParts;
  /** Users of whom others have to be told. */
  #changed = new Set<number>();
  #nextRoundMs = 0;
  #round: Timer | undefined;
  #running: Promise<void> | undefined;
  #closed = false;

  constructor(parts: PresenceRoundsParts) {
    this.#parts = parts;
  }

  /** Whether a user's last change may not have been stored yet. */
  has(userNid: number): boolean {
    return this.#changed.has(userNid) || this.#running !== undefined;
  }

  /** The users whose changes wait. */
  get waiting(): Iterable<number> {
    return this.#changed;
  }

  tell(userNid: number): void {
    this.#changed.add(userNid);
    if (this.#round || this.#running || this.#closed) return;
    const { clock } = this.#parts;
    const waitMs = Math.max(0, this.#nextRoundMs - clock.monotonicMs());
    this.#round = clock.setTimer(waitMs, () => {
      this.#round = undefined;
      this.#running = this.#runRound();
    });
  }

  /** What waits is stored before this ends. @throws StorageError */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#round?.cancel();
    await this.#running;
    await this.#tellAll();
  }

  async #runRound(): Promise<void> {
    const { clock, log, crowd } = this.#parts;
    try {
      await this.#tellAll();
    } catch (error) {
      log.warn({ err: error }, "changes of presence were not stored; trying again");
    }
    const pauseMs = Math.max(minPauseMs, Math.min(crowd() * pausePerUserMs, maxPauseMs));
    this.#nextRoundMs = clock.monotonicMs() + pauseMs;
    this.#running = undefined;
    const [waiting] = this.#changed;
    if (waiting !== undefined) this.tell(waiting);
  }

  async #tellAll(): Promise<void> {
    const { store, presenceOf, stored } = this.#parts;
    const changed = this.#changed;
    if (changed.size === 0) return;
    this.#changed = new Set();
    const users = [...changed].flatMap((userNid) => presenceOf(userNid) ?? []);
    try {
      await store.put(users);
    } catch (error) {
      this.#changed = changed.union(this.#changed);
      throw error;
    }
    for (const { userNid } of users) stored(userNid);
  }
}
