/** An event that somebody wants to be sent later (MSC4140). */
export interface NewDelayedEvent {
  /** Whoever knows it may manage the event. */
  readonly delayId: string;
  readonly userNid: number;
  readonly deviceId: string;
  /** What a repeated request has in common with the first one; `null` for one that no request repeats. */
  readonly requestKey: string | null;
  readonly roomId: string;
  readonly type: string;
  /** `null` for what is no state event. */
  readonly stateKey: string | null;
  /** JSON. */
  readonly content: string;
  /** How long the event shall be sticky; `null` for one that shall not be. */
  readonly stickyDurationMs: number | null;
  /** The time that an application service gives the event; `null` for that at which it is sent. */
  readonly originServerTs: number | null;
  /** 1 when rate limits do not hold for whoever scheduled it. */
  readonly isUnlimited: 0 | 1;
  readonly delayMs: number;
  /** When it was scheduled or last restarted, in milliseconds since the epoch. */
  readonly scheduledTs: number;
}

export interface DelayedEvent extends NewDelayedEvent {
  /** Orders events that are to be sent at the same time. */
  readonly delayNid: number;
  readonly sendTs: number;
  /** When it was sent, was cancelled or failed; `null` while it is scheduled. */
  readonly finalisedTs: number | null;
  /** The event that came of it. */
  readonly eventId: string | null;
  /** Why it could not be sent: the JSON of an error answer. */
  readonly error: string | null;
}

export type DelayedEventStatus = "scheduled" | "sent" | "cancelled" | "failed";

/** How a delayed event ends, unless it is sent. */
export type DelayedEventEnd = Pick<DelayedEvent, "eventId" | "error"> & { readonly finalisedTs: number };

export type ScheduleOutcome =
  | { readonly scheduled: true; readonly delayId: string }
  /** The user has as many as they may; the next one of them is sent at `nextTs`. */
  | { readonly scheduled: false; readonly nextTs: number };

/** Where a list goes on: after this event. */
export type DelayedEventPlace = Pick<DelayedEvent, "sendTs" | "delayNid">;

export interface DelayedEventQuery {
  readonly userNid: number;
  /** Bounds of the time at which events are to be sent, both included. */
  readonly fromTs: number;
  readonly toTs: number;
  readonly roomId: string | undefined;
  readonly type: string | undefined;
  readonly status: DelayedEventStatus | undefined;
  readonly backwards: boolean;
  readonly after: DelayedEventPlace | undefined;
  readonly limit: number;
}

/** What is kept of a user's events that have been sent, cancelled or failed: "7 days or 1000 events per user". */
export const keptFinalised = { lifetimeMs: 7 * 24 * 60 * 60 * 1000, perUser: 1_000 } as const;

export interface DelayedEventStore {
  /** @param maxScheduled events that a user may have scheduled at once */
  schedule(event: NewDelayedEvent, maxScheduled: number): Promise<ScheduleOutcome>;
  find(delayId: string): Promise<DelayedEvent | undefined>;
  /** Makes an event wait for its whole delay again. False when it is not scheduled any more. */
  restart(delayId: string, nowTs: number): Promise<boolean>;
  /** False, and nothing is changed, when the event has ended already. A commit ends the event that it sends by itself. */
  finalise(delayId: string, end: DelayedEventEnd): Promise<boolean>;
  /** Scheduled events whose time has come, in the order of their times. */
  due(nowTs: number, limit: number): Promise<DelayedEvent[]>;
  /** When the next event is to be sent after a moment; `undefined` when none is. */
  nextTs(afterTs: number): Promise<number | undefined>;
  list(query: DelayedEventQuery): Promise<DelayedEvent[]>;
}
