import { slidingSyncV4Handlers } from "../http/handlers/sliding-sync-v4.ts";
import { slidingSyncHandlers } from "../http/handlers/sliding-sync.ts";
import type { BoundEndpoint } from "../http/pipeline.ts";
import { LazyMembers } from "../sync/lazy-members.ts";
import type { LongPolls } from "../sync/long-poll.ts";
import type { PendingRooms } from "../sync/pending-rooms.ts";
import type { RoomSummaries } from "../sync/room-summary.ts";
import { BumpStamps } from "../sync/sliding/bump-stamps.ts";
import { SlidingConnections } from "../sync/sliding/connections.ts";
import { ExtensionRooms } from "../sync/sliding/extension-rooms.ts";
import { ExtensionStickyEvents } from "../sync/sliding/extension-sticky-events.ts";
import { ExtensionSections } from "../sync/sliding/extensions.ts";
import { ProfileExtension } from "../sync/sliding/profile-extension.ts";
import { RoomProfiles } from "../sync/sliding/room-profiles.ts";
import { RoomResults } from "../sync/sliding/room-results.ts";
import { RoomSelections } from "../sync/sliding/room-selection.ts";
import { RoomStates } from "../sync/sliding/room-state.ts";
import { SharedRooms } from "../sync/sliding/shared-rooms.ts";
import { SlidingAnswers } from "../sync/sliding/sliding-answer.ts";
import { SlidingSync } from "../sync/sliding/sliding-sync.ts";
import { UserRooms } from "../sync/sliding/user-rooms.ts";
import type { SharedTimelines } from "../sync/shared-timelines.ts";
import type { DeviceListStream } from "../sync/streams/device-lists.ts";
import type { ProfileStream } from "../sync/streams/profiles.ts";
import type { StickyEventStream } from "../sync/streams/sticky-events.ts";
import type { ToDeviceStream } from "../sync/streams/to-device.ts";
import type { TimelineWindows } from "../sync/timeline-window.ts";
import type { NameCache } from "../storage/name-cache.ts";
import type { Foundation } from "./foundation.ts";
import type { SyncedParts } from "./sync.ts";

/** What both assemblies of sync are made of. */
export interface SharedSyncParts {
  readonly longPolls: LongPolls;
  readonly windows: TimelineWindows;
  readonly timelines: SharedTimelines;
  readonly summaries: RoomSummaries;
  readonly pending: PendingRooms;
  readonly toDevice: ToDeviceStream;
  readonly sticky: StickyEventStream;
  readonly deviceLists: DeviceListStream;
  readonly profiles: ProfileStream;
}

/** Simplified sliding sync (MSC4186). */
export function composeSlidingSync(
  foundation: Foundation,
  synced: SyncedParts,
  shared: SharedSyncParts,
): readonly BoundEndpoint[] {
  const { stores, notifier, memberships, clock, randomBytes } = foundation;
  const { timeline, presence, unread } = synced;
  const lazyMembers = new LazyMembers();
  const results = composeRoomResults(foundation, synced, shared, lazyMembers);
  const sync = new SlidingSync({
    notifier,
    longPolls: shared.longPolls,
    readers: timeline.readers,
    permissions: synced.userData.accountData,
    connections: new SlidingConnections(stores.slidingSync, clock, randomBytes),
    userRooms: new UserRooms(stores.slidingSync, stores.accountData, notifier, memberships, foundation.names),
    selections: new RoomSelections(stores.slidingSync),
    answers: new SlidingAnswers(results, composeExtensions(synced, shared, foundation.names), unread),
    toDevice: shared.toDevice,
    presence,
    lazyMembers,
    pace: timeline.pace,
  });
  return [...slidingSyncHandlers(sync), ...slidingSyncV4Handlers(sync)];
}

function composeRoomResults(
  { stores, names, graph, notifier }: Foundation,
  { timeline }: SyncedParts,
  { windows, timelines: shared, summaries, pending }: SharedSyncParts,
  lazyMembers: LazyMembers,
): RoomResults {
  const { events, snapshots } = graph;
  const { timelines, views, presenter, members, stateTexts } = timeline;
  const profiles = new RoomProfiles({ snapshots, events, names, summaries });
  notifier.follow(["timeline"], profiles.committed);
  const states = new RoomStates({ snapshots, events, names, presenter, members, stateTexts });
  const bumpStamps = new BumpStamps(stores.slidingSync, names);
  return new RoomResults({
    memberships: stores.memberships,
    events,
    timelines,
    views,
    windows,
    shared: new SharedRooms({ timelines: shared, states, profiles, bumpStamps }),
    presenter,
    states,
    profiles,
    bumpStamps,
    pending,
    lazyMembers,
  });
}

function composeExtensions(
  { userData: { accountData }, ephemeral, encryption: { oneTimeKeys }, threads, timeline }: SyncedParts,
  { toDevice, deviceLists, profiles, sticky }: SharedSyncParts,
  names: NameCache,
): ExtensionSections {
  const rooms = new ExtensionRooms(accountData, ephemeral);
  return new ExtensionSections({
    rooms,
    accountData,
    toDevice,
    deviceLists,
    oneTimeKeys,
    threadSubscriptions: threads.stream,
    profiles: new ProfileExtension(profiles, deviceLists, names),
    stickyEvents: new ExtensionStickyEvents(sticky, timeline.views, timeline.presenter),
  });
}
