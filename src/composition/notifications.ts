import { notificationHandlers } from "../http/handlers/notifications.ts";
import type { BoundEndpoint } from "../http/pipeline.ts";
import { CheckpointWriter } from "../services/notifications/checkpoint-writer.ts";
import { NotificationList } from "../services/notifications/notification-list.ts";
import { PushEvents } from "../services/notifications/push-events.ts";
import { RecentEvents } from "../services/notifications/recent-events.ts";
import { RoomStandings } from "../services/notifications/room-standings.ts";
import { UnreadCounts } from "../services/notifications/unread-counts.ts";
import { RoomUnreadCountStream } from "../sync/streams/room-unread-counts.ts";
import type { UnreadCountStream } from "../sync/streams/unread-counts.ts";
import { EventThreads } from "../timeline/event-threads.ts";
import type { Foundation } from "./foundation.ts";
import type { ThreadSubscriptionParts } from "./thread-subscriptions.ts";
import type { TimelineParts } from "./timeline.ts";
import type { UserDataParts } from "./user-data.ts";

export interface NotificationParts extends AsyncDisposable {
  /** Events made ready for push rules. */
  readonly pushEvents: PushEvents;
  readonly unreadCounts: UnreadCounts;
  /** For sync. */
  readonly unread: UnreadCountStream;
  readonly handlers: readonly BoundEndpoint[];
}

/** Which events notify users, and how many of them are unread. */
export function composeNotifications(
  { stores, names, notifier, graph, clock, log }: Foundation,
  { timelines, readers, views, presenter, pace }: TimelineParts,
  { pushRules, accountData }: UserDataParts,
  { subscriptions }: ThreadSubscriptionParts,
): NotificationParts {
  const { rooms, events, snapshots } = graph;
  const { memberships, receipts, relations, unreadCheckpoints: checkpoints } = stores;
  const threads = new EventThreads(relations);
  const pushEvents = new PushEvents({ rooms, events, snapshots, names, memberships, threads });
  const standings = new RoomStandings({ memberships, receipts, events });
  const checkpointWriter = new CheckpointWriter(checkpoints, clock, log);
  const recentEvents = new RecentEvents({ timelines, store: stores.events });
  const unreadCounts = new UnreadCounts({
    recentEvents,
    standings,
    checkpoints,
    checkpointWriter,
    pushEvents,
    pushRules,
    threads: subscriptions,
    accountData,
    names,
    pace,
  });
  notifier.follow(["membership"], pushEvents.committed);
  notifier.follow(["timeline"], recentEvents.committed);
  notifier.follow(["timeline", "notifications", "membership"], unreadCounts.committed);
  const list = new NotificationList({
    store: stores.events,
    events,
    rooms,
    pushEvents,
    pushRules,
    threads: subscriptions,
    standings,
    readers,
    views,
    presenter,
  });
  return {
    pushEvents,
    unreadCounts,
    unread: new RoomUnreadCountStream(unreadCounts, receipts, notifier),
    handlers: notificationHandlers(list),
    [Symbol.asyncDispose]: () => checkpointWriter[Symbol.asyncDispose](),
  };
}
