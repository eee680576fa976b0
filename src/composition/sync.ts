import { syncHandlers } from "../http/handlers/sync.ts";
import type { BoundEndpoint } from "../http/pipeline.ts";
import { JoinedRooms } from "../sync/joined-rooms.ts";
import { LazyMembers } from "../sync/lazy-members.ts";
import { LongPolls } from "../sync/long-poll.ts";
import { LeftRooms } from "../sync/left-rooms.ts";
import { PendingRooms } from "../sync/pending-rooms.ts";
import { ProfileSections } from "../sync/profile-section.ts";
import { RoomExtrasReader } from "../sync/room-extras.ts";
import { RoomLists } from "../sync/room-list.ts";
import { RoomSections } from "../sync/room-sections.ts";
import { RoomSummaries } from "../sync/room-summary.ts";
import { SharedTimelines } from "../sync/shared-timelines.ts";
import { StateSections } from "../sync/state-section.ts";
import { AccountDataStream } from "../sync/streams/account-data.ts";
import { DeviceListStream } from "../sync/streams/device-lists.ts";
import type { EphemeralStream } from "../sync/streams/ephemeral.ts";
import type { PresenceStream } from "../sync/streams/presence.ts";
import { ProfileStream } from "../sync/streams/profiles.ts";
import { StickyEventStream } from "../sync/streams/sticky-events.ts";
import { ToDeviceStream } from "../sync/streams/to-device.ts";
import type { UnreadCountStream } from "../sync/streams/unread-counts.ts";
import { SyncAnswers } from "../sync/sync-answer.ts";
import { SyncV2 } from "../sync/sync-v2.ts";
import { TimelineWindows } from "../sync/timeline-window.ts";
import type { EncryptionParts } from "./encryption.ts";
import type { Foundation } from "./foundation.ts";
import { composeSlidingSync, type SharedSyncParts } from "./sliding-sync.ts";
import type { ThreadSubscriptionParts } from "./thread-subscriptions.ts";
import type { TimelineParts } from "./timeline.ts";
import type { UserDataParts } from "./user-data.ts";

/** What other domains have to offer to sync. */
export interface SyncedParts {
  readonly timeline: TimelineParts;
  readonly userData: UserDataParts;
  readonly encryption: EncryptionParts;
  readonly ephemeral: readonly EphemeralStream[];
  readonly unread: UnreadCountStream | undefined;
  readonly presence: PresenceStream | undefined;
  readonly threads: ThreadSubscriptionParts;
}

export function composeSync(foundation: Foundation, synced: SyncedParts): readonly BoundEndpoint[] {
  const { stores, names, notifier, memberships, clock, graph } = foundation;
  const { timeline, userData, encryption, presence } = synced;
  const { events, snapshots } = graph;
  const lazyMembers = new LazyMembers();
  const accountData = new AccountDataStream(userData.accountData, graph.rooms);
  const toDevice = new ToDeviceStream(stores.toDevice);
  notifier.follow(["toDevice"], toDevice.committed);
  const shared: SharedSyncParts = {
    longPolls: new LongPolls(notifier, stores.sessions, clock),
    windows: new TimelineWindows(timeline.timelines, timeline.filtering),
    timelines: composeSharedTimelines(foundation, timeline),
    summaries: new RoomSummaries({ memberships: stores.memberships, snapshots, events, names }),
    pending: new PendingRooms({ events, snapshots, names, store: stores.events }),
    toDevice,
    sticky: new StickyEventStream({
      store: stores.stickyEvents,
      rooms: timeline.stickyRooms,
      events,
      clock,
    }),
    deviceLists: new DeviceListStream(stores.deviceLists, names),
    profiles: new ProfileStream(stores.profiles),
  };
  const answers = new SyncAnswers({
    rooms: composeRoomSections(foundation, synced, shared, accountData, lazyMembers),
    accountData,
    toDevice,
    deviceLists: shared.deviceLists,
    oneTimeKeys: encryption.oneTimeKeys,
    presence,
    profiles: new ProfileSections(shared.profiles),
  });
  const syncV2 = new SyncV2({
    notifier,
    memberships,
    longPolls: shared.longPolls,
    readers: timeline.readers,
    answers,
    toDevice,
    presence,
    lazyMembers,
    pace: timeline.pace,
  });
  return [...syncHandlers(syncV2, userData.filters), ...composeSlidingSync(foundation, synced, shared)];
}

function composeSharedTimelines(
  { names, notifier, clock }: Foundation,
  { timelines, presenter, members }: TimelineParts,
): SharedTimelines {
  const shared = new SharedTimelines({ timelines, presenter, names, members, clock });
  notifier.follow(["timeline", "stickyEvents", "erasures"], shared.committed);
  return shared;
}

function composeRoomSections(
  { stores, names, graph, partialRooms }: Foundation,
  { timeline, userData, ephemeral, unread }: SyncedParts,
  { windows, timelines: shared, summaries, pending, sticky }: SharedSyncParts,
  accountData: AccountDataStream,
  lazyMembers: LazyMembers,
): RoomSections {
  const { rooms, events, snapshots } = graph;
  const { timelines, views, presenter, members, filtering, stateTexts: texts } = timeline;
  const parts = {
    rooms,
    views,
    timelines,
    windows,
    shared,
    snapshots,
    states: new StateSections({
      snapshots,
      events,
      names,
      texts,
      presenter,
      members,
      filtering,
      lazyMembers,
    }),
    summaries,
    presenter,
  };
  return new RoomSections({
    rooms,
    store: stores.rooms,
    lists: new RoomLists(stores.memberships, events),
    extras: new RoomExtrasReader(ephemeral, unread),
    accountData,
    sticky,
    joined: new JoinedRooms(parts),
    left: new LeftRooms(parts, events),
    pending,
    partialRooms,
    permissions: userData.accountData,
  });
}
