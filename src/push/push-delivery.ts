import { boundedCache } from "../cache/bounded-cache.ts";
import { OutboundError } from "../outbound/errors.ts";
import type { Pusher, PusherBehind, PusherStore } from "../storage/pushers.ts";
import type { Clock, Timer } from "../telemetry/clock.ts";
import type { Logger } from "../telemetry/log.ts";
import { GatewayQueues } from "./gateway-queues.ts";
import { type PushGatewayClient, PushGatewayError } from "./push-gateway.ts";
import { type DescribedPusher, describe, type PushNotifications } from "./push-notifications.ts";

/** An event that a pusher has to tell of. */
export interface DueEvent {
  readonly eventNid: number;
  readonly position: number;
  /** When it became due, in milliseconds since the epoch. */
  readonly dueTs: number;
}

/** A pusher with something to tell; one that has nothing takes no memory. */
interface Outstanding {
  readonly pusherNid: number;
  readonly origin: string;
  /** Oldest first. */
  readonly events: DueEvent[];
  /** The number of unread messages may have changed. */
  badgeDue: boolean;
  failures: number;
  /** When a failed attempt is to be repeated, by the monotonic clock; 0 while none is waiting. */
  retryMs: number;
  isSending: boolean;
}

export interface PushDeliveryParts {
  readonly store: Pick<PusherStore, "byNid" | "removeByNid">;
  readonly notifications: Pick<PushNotifications, "ofEvent" | "ofBadge">;
  readonly gateways: Pick<PushGatewayClient, "notify">;
  /** Called when a pusher has got further. */
  readonly told: () => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Whoever could not be reached for long is told of the newest events only, and of none that nobody waits for any more. */
const maxEvents = 100;
const maxAgeMs = 24 * 60 * 60 * 1000;
const firstRetryMs = 1_000;
const lastRetryMs = 10 * 60 * 1000;
/** A badge alone is tried for about an hour: the next notification tells it anyway. */
const maxBadgeFailures = 15;
/** One timer looks after everything that waits for its next attempt. */
const tickMs = 500;
const cachedBadges = 50_000;
/** How long requests under way may take when the server stops. */
const closeTimeoutMs = 3_000;

/**
 * Tells push gateways what they have to know: in order and one at a time for each pusher, again and again with growing
 * intervals while a gateway fails.
 */
export class PushDelivery implements AsyncDisposable {
  readonly #parts: PushDeliveryParts;
  readonly #outstanding = new Map<number, Outstanding>();
  readonly #queues = new GatewayQueues<Outstanding>((outstanding) => this.#send(outstanding));
  /** What gateways have been told last. */
  readonly #badges = boundedCache<number, { readonly told: number }>(cachedBadges);
  readonly #abort = new AbortController();
  #timer: Timer | undefined;

  constructor(parts: PushDeliveryParts) {
    this.#parts = parts;
  }

  /** A pusher has to tell of an event. */
  addEvent(pusher: Pusher, event: DueEvent): void {
    const outstanding = this.#of(pusher);
    const { events, isSending } = outstanding;
    events.push(event);
    // The first one is under way.
    if (events.length > maxEvents) events.splice(isSending ? 1 : 0, 1);
    this.#wake(outstanding);
  }

  /** A pusher has to tell how many messages are unread, should that have changed. */
  addBadge(pusher: Pusher): void {
    const outstanding = this.#of(pusher);
    outstanding.badgeDue = true;
    this.#wake(outstanding);
  }

  /** The pushers that have events to tell of. */
  behind(): PusherBehind[] {
    const behind: PusherBehind[] = [];
    for (const { pusherNid, events } of this.#outstanding.values()) {
      if (events.length === 0) continue;
      const first = Math.min(...events.map(({ position }) => position));
      behind.push({ pusherNid, deliveredUpTo: first - 1 });
    }
    return behind;
  }

  /** Nothing more is sent; what is under way gets a moment to end. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#timer?.cancel();
    const patience = this.#parts.clock.setTimer(closeTimeoutMs, () => this.#abort.abort());
    await this.#queues.close();
    patience.cancel();
  }

  #of(pusher: Pusher): Outstanding {
    const known = this.#outstanding.get(pusher.pusherNid);
    if (known) return known;
    const { origin } = describe(pusher).url;
    const { pusherNid } = pusher;
    const made = {
      pusherNid,
      origin,
      events: [],
      badgeDue: false,
      failures: 0,
      retryMs: 0,
      isSending: false,
    };
    this.#outstanding.set(pusherNid, made);
    return made;
  }

  #wake(outstanding: Outstanding): void {
    if (!outstanding.isSending && outstanding.retryMs === 0)
      this.#queues.add(outstanding.origin, outstanding);
  }

  async #send(outstanding: Outstanding): Promise<void> {
    outstanding.isSending = true;
    try {
      const isThere = await this.#tellNext(outstanding);
      outstanding.failures = 0;
      const hasMore = outstanding.events.length > 0 || outstanding.badgeDue;
      if (!isThere || !hasMore) this.#outstanding.delete(outstanding.pusherNid);
      this.#parts.told();
    } catch (error) {
      this.#failed(outstanding, error);
    }
    outstanding.isSending = false;
    if (this.#outstanding.has(outstanding.pusherNid)) this.#wake(outstanding);
  }

  /** Sends one notification. Returns whether the pusher is still there. */
  async #tellNext(outstanding: Outstanding): Promise<boolean> {
    const { events, pusherNid } = outstanding;
    const stored = await this.#parts.store.byNid(pusherNid);
    if (!stored) return false;
    if (!stored.isEnabled) {
      events.length = 0;
      outstanding.badgeDue = false;
      return true;
    }
    const oldestTs = this.#parts.clock.nowMs() - maxAgeMs;
    while (events[0] && events[0].dueTs < oldestTs) events.shift();
    const [event] = events;
    if (!event && !outstanding.badgeDue) return true;
    const isWanted = await this.#tell(outstanding, describe(stored), event);
    if (event) events.shift();
    if (!isWanted) await this.#parts.store.removeByNid(pusherNid);
    return isWanted;
  }

  /** Returns false when the gateway does not know the pushkey any longer. @throws when it has to be told again */
  async #tell(
    outstanding: Outstanding,
    pusher: DescribedPusher,
    event: DueEvent | undefined,
  ): Promise<boolean> {
    const { notifications, gateways } = this.#parts;
    const wasDue = outstanding.badgeDue;
    // Every notification tells the badge; what happens from now on makes it due again.
    if (!event) outstanding.badgeDue = false;
    try {
      const notification = event
        ? await notifications.ofEvent(pusher, event.eventNid)
        : await notifications.ofBadge(pusher);
      if (!notification) return true;
      const { body, badge } = notification;
      if (!event && badge === this.#badges.get(pusher.pusherNid)?.told) return true;
      const rejected = await gateways.notify(pusher.url, body, this.#abort.signal);
      this.#badges.set(pusher.pusherNid, { told: badge });
      return !rejected.includes(pusher.pushkey);
    } catch (error) {
      outstanding.badgeDue ||= wasDue;
      throw error;
    }
  }

  #failed(outstanding: Outstanding, error: unknown): void {
    const { clock, log } = this.#parts;
    const { pusherNid, origin } = outstanding;
    const isGatewayFault = error instanceof OutboundError || error instanceof PushGatewayError;
    if (this.#abort.signal.aborted) return;
    if (!isGatewayFault) log.error({ err: error, pusherNid }, "a push notification could not be made");
    else if (outstanding.failures === 0) {
      log.info({ gateway: origin, reason: error.message }, "a push gateway fails; it is tried again later");
    }
    if (outstanding.events.length === 0 && outstanding.failures >= maxBadgeFailures) {
      this.#outstanding.delete(pusherNid);
      return;
    }
    const delayMs = Math.min(firstRetryMs * 2 ** outstanding.failures, lastRetryMs);
    outstanding.failures += 1;
    outstanding.retryMs = clock.monotonicMs() + delayMs;
    this.#timer ??= clock.setTimer(tickMs, () => this.#tick());
  }

  #tick(): void {
    const nowMs = this.#parts.clock.monotonicMs();
    let waiting = 0;
    for (const outstanding of this.#outstanding.values()) {
      if (outstanding.retryMs === 0) continue;
      if (outstanding.retryMs > nowMs) {
        waiting += 1;
        continue;
      }
      outstanding.retryMs = 0;
      this.#wake(outstanding);
    }
    this.#timer = waiting > 0 ? this.#parts.clock.setTimer(tickMs, () => this.#tick()) : undefined;
  }
}
