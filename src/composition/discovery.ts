import { roomDiscoveryHandlers } from "../http/handlers/room-discovery.ts";
import { userDiscoveryHandlers } from "../http/handlers/user-discovery.ts";
import type { BoundEndpoint } from "../http/pipeline.ts";
import { MutualRooms } from "../services/discovery/mutual-rooms.ts";
import { RemoteUserFollower } from "../services/discovery/remote-user-follower.ts";
import { RoomDirectory } from "../services/discovery/room-directory.ts";
import { RoomSummaries } from "../services/discovery/room-summaries.ts";
import { RoomVisibility } from "../services/discovery/room-visibility.ts";
import { SpaceChildren } from "../services/discovery/space-children.ts";
import { SpaceHierarchy } from "../services/discovery/space-hierarchy.ts";
import { UserDirectory } from "../services/discovery/user-directory.ts";
import type { RoomAliases } from "../services/rooms/room-aliases.ts";
import type { Foundation } from "./foundation.ts";

/** Keeps users of other servers in the user directory; absent where federation is off. */
export function composeRemoteUserFollower({
  config,
  stores,
  notifier,
  clock,
  log,
}: Foundation): RemoteUserFollower | undefined {
  if (!config.federation.enabled) return undefined;
  const follower = new RemoteUserFollower({ store: stores.userDirectory, clock, log });
  notifier.follow(follower.committed);
  return follower;
}

/** Finding rooms and people. */
export function composeDiscovery(
  { config, stores, names, graph, randomBytes, appservices }: Foundation,
  { aliases }: { readonly aliases: RoomAliases },
): readonly BoundEndpoint[] {
  const { roomSummaries: store, userDirectory } = stores;
  const { rooms, events } = graph;
  const visibility = new RoomVisibility(rooms, stores.memberships);
  return [
    ...roomDiscoveryHandlers({
      directory: new RoomDirectory(store, config.server_name, appservices.registry),
      summaries: new RoomSummaries(store, aliases, visibility),
      hierarchy: new SpaceHierarchy({
        store,
        rooms,
        children: new SpaceChildren(store, events),
        visibility,
        randomBytes,
      }),
    }),
    ...userDiscoveryHandlers(
      new UserDirectory(userDirectory, config.user_directory.search_all_users),
      new MutualRooms(userDirectory, names),
    ),
  ];
}
