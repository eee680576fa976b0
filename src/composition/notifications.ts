import { CheckpointWriter } from "../services/notifications/checkpoint-writer.ts";
import { PushEvents } from "../services/notifications/push-events.ts";
import { UnreadCounts } from "../services/notifications/unread-counts.ts";
import { RoomUnreadCountStream } from "../sync/streams/room-unread-counts.ts";
import type { UnreadCountStream } from "../sync/streams/unread-counts.ts";
import { EventThreads } from "../timeline/event-threads.ts";
import type { Foundation } from "./foundation.ts";
import type { RoomParts } from "./rooms.ts";
import type { TimelineParts } from "./timeline.ts";
import type { UserDataParts } from "./user-data.ts";

export interface NotificationParts extends AsyncDisposable {
  /** Events made ready for push rules. */
  readonly pushEvents: PushEvents;
  readonly unreadCounts: UnreadCounts;
  /** For sync. */
  readonly unread: UnreadCountStream;
}

/** Which events notify users, and how many of them are unread. */
export function composeNotifications(
  { stores, names, notifier, graph, clock, log }: Foundation,
  { timelines }: TimelineParts,
  { pushRules, accountData }: UserDataParts,
  { state }: RoomParts,
): NotificationParts {
  const { rooms, events, snapshots } = graph;
  const { memberships, receipts, relations, unreadCheckpoints: checkpoints } = stores;
  const threads = new EventThreads(relations);
  const pushEvents = new PushEvents({ rooms, events, snapshots, names, memberships, threads });
  const checkpointWriter = new CheckpointWriter(checkpoints, clock, log);
  const unreadCounts = new UnreadCounts({
    timelines,
    events: stores.events,
    receipts,
    memberships,
    checkpoints,
    checkpointWriter,
    pushEvents,
    pushRules,
    accountData,
    state,
    rooms,
    names,
    clock,
  });
  notifier.follow(unreadCounts.committed);
  return {
    pushEvents,
    unreadCounts,
    unread: new RoomUnreadCountStream(unreadCounts, receipts, notifier),
    [Symbol.asyncDispose]: () => checkpointWriter[Symbol.asyncDispose](),
  };
}
