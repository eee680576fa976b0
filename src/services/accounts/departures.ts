import type { AccountStore, Departure } from "../../storage/accounts.ts";
import type { Clock, Timer } from "../../telemetry/clock.ts";
import type { Logger } from "../../telemetry/log.ts";

/** What accounts need of rooms. */
export interface RoomLeaver {
  /**
   * Makes a user leave every room, reject every invitation and take back every knock. A room that cannot be left
   * now does not keep the user in the others. Safe to repeat.
   * @throws when rooms are left over
   */
  leaveAll(departure: Departure): Promise<void>;
}

const retryAfterMs = 5 * 60 * 1000;

/**
 * Takes deactivated users out of their rooms, in the background: there may be hundreds. Who is still to leave is stored,
 * so that neither a crash nor a room that cannot be left now loses anybody.
 */
export class Departures implements AsyncDisposable {
  readonly #accounts: AccountStore;
  readonly #leaver: RoomLeaver;
  readonly #clock: Clock;
  readonly #log: Logger;
  #round: Promise<void> | undefined;
  #again = false;
  #closing = false;
  #retry: Timer | undefined;

  constructor(accounts: AccountStore, leaver: RoomLeaver, clock: Clock, log: Logger) {
    this.#accounts = accounts;
    this.#leaver = leaver;
    this.#clock = clock;
    this.#log = log;
  }

  /** To be called at the start, and whenever an account has been deactivated. */
  begin(): void {
    if (this.#closing) return;
    this.#retry?.cancel();
    if (this.#round) this.#again = true;
    else this.#round = this.#work();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing = true;
    this.#retry?.cancel();
    await this.#round;
  }

  async #work(): Promise<void> {
    let isDone = false;
    do {
      this.#again = false;
      isDone = await this.#oneRound();
    } while (this.#again && !this.#closing);
    this.#round = undefined;
    if (!isDone && !this.#closing) this.#retry = this.#clock.setTimer(retryAfterMs, () => this.begin());
  }

  /** Returns whether everybody has left. */
  async #oneRound(): Promise<boolean> {
    try {
      let isDone = true;
      for (const departure of await this.#accounts.listDepartures()) {
        if (this.#closing) return false;
        isDone = (await this.#depart(departure)) && isDone;
      }
      return isDone;
    } catch (error) {
      this.#log.error({ err: error }, "deactivated users could not be read");
      return false;
    }
  }

  async #depart(departure: Departure): Promise<boolean> {
    try {
      await this.#leaver.leaveAll(departure);
      await this.#accounts.departed(departure.userNid);
      return true;
    } catch (error) {
      this.#log.warn(
        { err: error, userId: departure.userId },
        "a deactivated user is still in rooms; trying again later",
      );
      return false;
    }
  }
}
