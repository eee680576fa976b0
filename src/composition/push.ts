import { pusherHandlers } from "../http/handlers/pushers.ts";
import type { BoundEndpoint } from "../http/pipeline.ts";
import { Badges } from "../push/badges.ts";
import { PushAudiences } from "../push/push-audiences.ts";
import { PushDelivery } from "../push/push-delivery.ts";
import { PushGatewayClient } from "../push/push-gateway.ts";
import { PushJudge } from "../push/push-judge.ts";
import { PushNotifications } from "../push/push-notifications.ts";
import { PushWorker } from "../push/push-worker.ts";
import { RoomStandings } from "../services/notifications/room-standings.ts";
import { PusherService } from "../services/pushers.ts";
import { Pace } from "../telemetry/pace.ts";
import type { Foundation } from "./foundation.ts";
import type { NotificationParts } from "./notifications.ts";
import { composeOutbound } from "./outbound.ts";
import type { RoomParts } from "./rooms.ts";
import type { ThreadSubscriptionParts } from "./thread-subscriptions.ts";
import type { TimelineParts } from "./timeline.ts";
import type { UserDataParts } from "./user-data.ts";

export interface PushParts extends AsyncDisposable {
  readonly handlers: readonly BoundEndpoint[];
}

/** What push is made of beside the foundation. */
export interface PushSources {
  readonly timeline: TimelineParts;
  readonly userData: UserDataParts;
  readonly rooms: RoomParts;
  readonly notifications: NotificationParts;
  readonly threads: ThreadSubscriptionParts;
}

/**
 * Pushers, and the notifications that go to their gateways.
 * @throws StartupError when the certificates for gateways cannot be used
 */
export async function composePush(foundation: Foundation, sources: PushSources): Promise<PushParts> {
  const { config, stores, notifier, clock, log, graph } = foundation;
  const { pushers: store, memberships, rooms, events: eventStore } = stores;
  const http = composeOutbound(config.push, clock);
  const pace = new Pace(clock);
  const audiences = composeAudiences(foundation, sources, pace);
  const badges = composeBadges(foundation, sources, pace);
  const delivery = new PushDelivery({
    store,
    notifications: composeNotificationWriter(foundation, sources, badges),
    gateways: new PushGatewayClient(http),
    told: () => worker.told(),
    clock,
    log,
  });
  const worker = new PushWorker({
    store,
    rooms,
    eventStore,
    memberships,
    events: graph.events,
    timelines: sources.timeline.timelines,
    audiences,
    judge: composeJudge(foundation, sources, audiences, pace),
    badges,
    delivery,
    position: () => notifier.position,
    clock,
    pace,
    log,
  });
  notifier.follow(["membership"], audiences.committed);
  notifier.follow(["timeline", "notifications", "membership"], badges.committed);
  notifier.follow(["timeline", "notifications", "membership"], worker.committed);
  await worker.resume();
  return {
    handlers: pusherHandlers(new PusherService(store, clock, (userNid) => worker.pusherSet(userNid))),
    async [Symbol.asyncDispose]() {
      await worker[Symbol.asyncDispose]();
      http[Symbol.dispose]();
    },
  };
}

function composeAudiences(
  { stores, graph, names }: Foundation,
  { rooms }: PushSources,
  pace: Pace,
): PushAudiences {
  const { pushers: store, memberships } = stores;
  return new PushAudiences({ store, memberships, state: rooms.state, rooms: graph.rooms, names, pace });
}

function composeBadges(
  { memberships, notifier }: Foundation,
  { notifications }: PushSources,
  pace: Pace,
): Badges {
  return new Badges({
    unread: notifications.unreadCounts,
    joinedRooms: (userNid) => memberships.load(userNid),
    position: () => notifier.position,
    pace,
  });
}

function composeJudge(
  { names }: Foundation,
  { userData, notifications, threads }: PushSources,
  audiences: PushAudiences,
  pace: Pace,
): PushJudge {
  const { pushRules, accountData } = userData;
  const { pushEvents } = notifications;
  return new PushJudge({
    audiences,
    pushEvents,
    pushRules,
    threads: threads.subscriptions,
    accountData,
    names,
    pace,
  });
}

function composeNotificationWriter(
  { stores, graph, names }: Foundation,
  { rooms: { state }, userData, notifications, threads }: PushSources,
  badges: Badges,
): PushNotifications {
  const { memberships, receipts } = stores;
  const { rooms, events } = graph;
  return new PushNotifications({
    events,
    rooms,
    names,
    memberships,
    standings: new RoomStandings({ memberships, receipts, events }),
    state,
    pushEvents: notifications.pushEvents,
    pushRules: userData.pushRules,
    threads: threads.subscriptions,
    badges,
  });
}
