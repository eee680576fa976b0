import { threadSubscriptionHandlers } from "../http/handlers/thread-subscriptions.ts";
import type { BoundEndpoint } from "../http/pipeline.ts";
import { ReadingAccess } from "../services/reading/reading-access.ts";
import { ThreadSubscriptions } from "../services/thread-subscriptions.ts";
import { ThreadSubscriptionStream } from "../sync/streams/thread-subscriptions.ts";
import { EventThreads } from "../timeline/event-threads.ts";
import type { Foundation } from "./foundation.ts";
import type { TimelineParts } from "./timeline.ts";

export interface ThreadSubscriptionParts {
  /** For push rules. */
  readonly subscriptions: ThreadSubscriptions;
  /** For sync. */
  readonly stream: ThreadSubscriptionStream;
  readonly handlers: readonly BoundEndpoint[];
}

/** Which threads users follow. */
export function composeThreadSubscriptions(
  { stores, graph: { rooms }, notifier, memberships: live }: Foundation,
  { readers, views, timelines }: TimelineParts,
): ThreadSubscriptionParts {
  const { memberships, threadSubscriptions: store, events, relations } = stores;
  const access = new ReadingAccess({ rooms, memberships, live, readers, views, timelines, notifier });
  const threads = new EventThreads(relations);
  const subscriptions = new ThreadSubscriptions({ store, access, events, threads });
  const stream = new ThreadSubscriptionStream(store, rooms);
  return { subscriptions, stream, handlers: threadSubscriptionHandlers(subscriptions, stream) };
}
