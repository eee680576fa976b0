import { RoomQueues } from "../../ingest/room-queues.ts";
import type { DelayedEvent, DelayedEventStore } from "../../storage/delayed-events.ts";
import type { Clock, Timer } from "../../telemetry/clock.ts";
import type { Logger } from "../../telemetry/log.ts";

export interface DelayedEventScheduleParts {
  readonly store: Pick<DelayedEventStore, "due" | "nextTs">;
  /** Sends an event, or stores why it cannot be sent; throws when neither could be done. */
  readonly send: (event: DelayedEvent) => Promise<void>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Events that are being sent at a time; others of the same moment come after them. */
const maxSending = 200;
/** A timer does not notice when the clock is put forward: while something is scheduled, it is looked at once a minute. */
const maxNapMs = 60_000;
const retryMs = 1_000;

/**
 * Has events sent when their time comes, and sleeps until then. A room's events are sent in the order of their times, and
 * no room waits for another. What is scheduled is in storage alone, so what came due while the server was down is due now.
 */
export class DelayedEventSchedule implements AsyncDisposable {
  readonly #parts: DelayedEventScheduleParts;
  readonly #rooms = new RoomQueues<string>();
  readonly #sending = new Map<string, Promise<void>>();
  #timer: { readonly wakeTs: number; readonly timer: Timer } | undefined;
  #looking: Promise<void> | undefined;
  #lookAgain = false;
  #closed = false;

  constructor(parts: DelayedEventScheduleParts) {
    this.#parts = parts;
  }

  /** Takes up what was left when the server stopped. */
  start(): void {
    this.#wake();
  }

  /** To be called when an event has been given its time. */
  expect(sendTs: number): void {
    if (this.#closed || (this.#timer && this.#timer.wakeTs <= sendTs)) return;
    this.#timer?.timer.cancel();
    const { clock } = this.#parts;
    const nowMs = clock.nowMs();
    const napMs = Math.min(Math.max(0, sendTs - nowMs), maxNapMs);
    const timer = clock.setTimer(napMs, () => {
      this.#timer = undefined;
      this.#wake();
    });
    this.#timer = { wakeTs: nowMs + napMs, timer };
  }

  /** Ends once what is being sent has been; the rest is sent after the next start. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#timer?.timer.cancel();
    await this.#looking;
    await Promise.all(this.#sending.values());
  }

  #wake(): void {
    if (this.#closed) return;
    this.#lookAgain = true;
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
      if (this.#lookAgain) this.#wake();
    });
  }

  async #look(): Promise<void> {
    const { store, clock, log } = this.#parts;
    this.#lookAgain = false;
    try {
      const nowMs = clock.nowMs();
      const due = await store.due(nowMs, maxSending);
      if (this.#closed) return;
      for (const event of due) if (!this.#sending.has(event.delayId)) this.#send(event);
      // The others come when half of these have been sent.
      if (due.length === maxSending) return;
      const nextTs = await store.nextTs(nowMs);
      if (nextTs !== undefined) this.expect(nextTs);
    } catch (err) {
      log.error({ err }, "delayed events could not be read; tried again");
      this.expect(clock.nowMs() + retryMs);
    }
  }

  #send(event: DelayedEvent): void {
    const done = async () => {
      try {
        await this.#rooms.run(event.roomId, () => this.#parts.send(event));
        this.#sending.delete(event.delayId);
        if (this.#sending.size === maxSending / 2) this.#wake();
      } catch (err) {
        this.#sending.delete(event.delayId);
        this.#parts.log.error({ err }, "a delayed event could not be sent; tried again");
        this.expect(this.#parts.clock.nowMs() + retryMs);
      }
    };
    this.#sending.set(event.delayId, done());
  }
}
