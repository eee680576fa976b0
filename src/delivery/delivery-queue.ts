import { Rounds } from "../concurrency/rounds.ts";
import { withinTime } from "../concurrency/within-time.ts";
import type { ContactMedium } from "../storage/contacts.ts";
import type { Delivery, DeliveryStore } from "../storage/deliveries.ts";
import type { Clock } from "../telemetry/clock.ts";
import type { Logger } from "../telemetry/log.ts";
import { DeliveryError } from "./errors.ts";
import type { MessageWriter } from "./message-writer.ts";
import type { MessageTransport } from "./transport.ts";

export interface DeliveryQueueParts {
  readonly store: DeliveryStore;
  readonly transports: ReadonlyMap<ContactMedium, MessageTransport>;
  readonly writer: Pick<MessageWriter, "write">;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Mail servers and gateways take so many at once without a grudge. */
const maxAtOnce = 4;
const firstRetryMs = 5_000;
const lastRetryMs = 60 * 60 * 1000;
/** When the queue itself cannot be read. */
const storeRetryMs = 60_000;
/** How long messages under way may take when the server stops: they are sent again after the next start. */
const closeTimeoutMs = 3_000;

/**
 * Sends the messages that are stored: some at a time, those that fail again and again at growing intervals until they
 * expire. A message whose success could not be noted before the process ended is sent twice, never lost.
 */
export class DeliveryQueue implements AsyncDisposable {
  readonly #parts: DeliveryQueueParts;
  readonly #rounds: Rounds;

  constructor(parts: DeliveryQueueParts) {
    this.#parts = parts;
    this.#rounds = new Rounds(() => this.#round(), parts.clock);
  }

  /** To be called at the start, and whenever a message has been stored. */
  wake(): void {
    this.#rounds.begin();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { clock, transports } = this.#parts;
    await withinTime(clock, closeTimeoutMs, this.#rounds[Symbol.asyncDispose](), undefined);
    for (const transport of transports.values()) transport[Symbol.dispose]();
  }

  async #round(): Promise<void> {
    const nextTs = await this.#sendDue();
    if (nextTs !== undefined) this.#rounds.beginIn(Math.max(0, nextTs - this.#parts.clock.nowMs()));
  }

  /** Returns when the next message is due. */
  async #sendDue(): Promise<number | undefined> {
    const { store, clock, log } = this.#parts;
    try {
      for (;;) {
        const due = await store.due(clock.nowMs(), maxAtOnce);
        if (due.length === 0 || this.#rounds.isClosed) return await store.nextDueTs();
        const outcomes = await Promise.allSettled(due.map((delivery) => this.#send(delivery)));
        for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
      }
    } catch (error) {
      log.error({ err: error }, "messages that are to be sent could not be read");
      return clock.nowMs() + storeRetryMs;
    }
  }

  async #send(delivery: Delivery): Promise<void> {
    const { store, writer, transports, clock, log } = this.#parts;
    const { deliveryNid, medium, address, kind, attempts, expiresTs } = delivery;
    const transport = transports.get(medium);
    try {
      if (!transport) throw new DeliveryError(`messages by ${medium} are not configured any more`, true);
      await transport.send(
        address,
        writer.write(delivery),
        `hearth-${deliveryNid}-${expiresTs.toString(36)}`,
      );
      await store.remove(deliveryNid);
    } catch (error) {
      const isPermanent = error instanceof DeliveryError && error.isPermanent;
      log.warn({ err: error, medium, kind, attempts: attempts + 1, isPermanent }, "a message was not sent");
      if (isPermanent) await store.remove(deliveryNid);
      else await store.postpone(deliveryNid, clock.nowMs() + retryDelayMs(attempts));
    }
  }
}

function retryDelayMs(attempts: number): number {
  return Math.min(lastRetryMs, firstRetryMs * 2 ** Math.min(attempts, 20));
}
