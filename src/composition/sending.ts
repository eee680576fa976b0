import { delayedEventHandlers } from "../http/handlers/delayed-events.ts";
import { roomSendingHandlers } from "../http/handlers/room-sending.ts";
import type { BoundEndpoint } from "../http/pipeline.ts";
import type { RateLimiter } from "../http/rate-limit.ts";
import { Authorisation } from "../ingest/authorisation.ts";
import { StickyReappraisal } from "../ingest/sticky-reappraisal.ts";
import { DelayedEvents } from "../services/delayed-events/delayed-events.ts";
import { DelayedSending } from "../services/delayed-events/delayed-sending.ts";
import { DelayedEventSchedule } from "../services/delayed-events/schedule.ts";
import type { Foundation } from "./foundation.ts";
import type { RoomParts } from "./rooms.ts";

export interface SendingParts extends AsyncDisposable {
  readonly handlers: readonly BoundEndpoint[];
  /** Sends what came due while the server was down, and then what comes due. */
  start(): void;
}

/** Sending events, at once and later. */
export function composeSending(
  foundation: Foundation,
  { access, sending }: RoomParts,
  rateLimiter: RateLimiter,
): SendingParts {
  const { config, stores, clock, randomBytes, log } = foundation;
  const reappraisal = composeReappraisal(foundation);
  const store = stores.delayedEvents;
  const schedule = new DelayedEventSchedule({
    store,
    send: (event) => delayed.deliver(event),
    clock,
    log,
  });
  const delayed: DelayedEvents = new DelayedEvents({
    store,
    access,
    sending: new DelayedSending({
      accounts: stores.accounts,
      sending,
      limit: (user) => rateLimiter.check("message", user, ""),
    }),
    limits: {
      maxDelayMs: config.delayed_events.max_delay_ms,
      maxScheduled: config.delayed_events.max_per_user,
    },
    expect: (sendTs) => schedule.expect(sendTs),
    clock,
    randomBytes,
  });
  return {
    handlers: [...roomSendingHandlers(sending, delayed), ...delayedEventHandlers(delayed)],
    start: () => schedule.start(),
    async [Symbol.asyncDispose]() {
      await schedule[Symbol.asyncDispose]();
      await reappraisal[Symbol.asyncDispose]();
    },
  };
}

function composeReappraisal({ stores, graph, names, notifier, clock, log }: Foundation): StickyReappraisal {
  const { rooms, events, snapshots } = graph;
  const reappraisal = new StickyReappraisal({
    store: stores.stickyEvents,
    roomStore: stores.rooms,
    rooms,
    events,
    snapshots,
    authorisation: new Authorisation(events, names),
    clock,
    log,
  });
  notifier.follow(["membership"], reappraisal.committed);
  return reappraisal;
}
