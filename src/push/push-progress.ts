import type { PusherBehind, PusherStore } from "../storage/pushers.ts";
import type { Clock, Timer } from "../telemetry/clock.ts";
import type { Logger } from "../telemetry/log.ts";

/** How far push has got, at one moment. */
export interface ProgressReport {
  /** All events up to this position have been judged. */
  readonly upTo: number;
  readonly behind: readonly PusherBehind[];
}

/** What is told after a crash again was told in so short a time before it; gateways suppress duplicates. */
const intervalMs = 5_000;

/** Stores now and then how far push has got, so that it goes on from there after a restart. */
export class PushProgressKeeper {
  readonly #store: Pick<PusherStore, "saveProgress">;
  readonly #report: () => ProgressReport;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #savedBehind = new Map<number, number>();
  #savedUpTo = -1;
  #timer: Timer | undefined;
  #saving: Promise<void> = Promise.resolve();

  constructor(
    store: Pick<PusherStore, "saveProgress">,
    report: () => ProgressReport,
    { clock, log }: { readonly clock: Clock; readonly log: Logger },
  ) {
    this.#store = store;
    this.#report = report;
    this.#clock = clock;
    this.#log = log;
  }

  /** What has been stored before. */
  resume(behind: readonly PusherBehind[]): void {
    for (const { pusherNid, deliveredUpTo } of behind) this.#savedBehind.set(pusherNid, deliveredUpTo);
  }

  /** There is something to store soon. */
  changed(): void {
    this.#timer ??= this.#clock.setTimer(intervalMs, () => {
      void this.save();
    });
  }

  /** Stores it now. */
  async save(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#saving = this.#saving.then(() => this.#save());
    await this.#saving;
  }

  async #save(): Promise<void> {
    const { upTo, behind } = this.#report();
    const moved = behind.filter(
      ({ pusherNid, deliveredUpTo }) => this.#savedBehind.get(pusherNid) !== deliveredUpTo,
    );
    const areBehind = new Set(behind.map(({ pusherNid }) => pusherNid));
    const caughtUp = [...this.#savedBehind.keys()].filter((pusherNid) => !areBehind.has(pusherNid));
    if (upTo === this.#savedUpTo && moved.length === 0 && caughtUp.length === 0) return;
    try {
      await this.#store.saveProgress({ upTo, behind: moved, caughtUp });
    } catch (error) {
      this.#log.warn({ err: error }, "the progress of push notifications was not stored");
      return;
    }
    this.#savedUpTo = upTo;
    for (const pusherNid of caughtUp) this.#savedBehind.delete(pusherNid);
    for (const { pusherNid, deliveredUpTo } of moved) this.#savedBehind.set(pusherNid, deliveredUpTo);
  }
}
