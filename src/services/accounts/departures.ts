import { Rounds } from "../../concurrency/rounds.ts";
import type { AccountStore, Departure } from "../../storage/accounts.ts";
import type { Clock } from "../../telemetry/clock.ts";
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
  readonly #log: Logger;
  readonly #rounds: Rounds;

  constructor(accounts: AccountStore, leaver: RoomLeaver, clock: Clock, log: Logger) {
    this.#accounts = accounts;
    this.#leaver = leaver;
    this.#log = log;
    this.#rounds = new Rounds(() => this.#round(), clock);
  }

  /** To be called at the start, and whenever an account has been deactivated. */
  begin(): void {
    this.#rounds.begin();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#rounds[Symbol.asyncDispose]();
  }

  async #round(): Promise<void> {
    if (!(await this.#departAll())) this.#rounds.beginIn(retryAfterMs);
  }

  /** Returns whether everybody has left. */
  async #departAll(): Promise<boolean> {
    try {
      let isDone = true;
      for (const departure of await this.#accounts.listDepartures()) {
        if (this.#rounds.isClosed) return false;
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
