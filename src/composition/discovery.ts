import { FederatedDirectories } from "../federation/discovery/remote-directories.ts";
import { FederatedSpaces } from "../federation/discovery/remote-spaces.ts";
import { ServedDiscovery } from "../federation/serving/served-discovery.ts";
import { federationDiscoveryHandlers } from "../http/handlers/federation/room-discovery.ts";
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
import { SpaceRooms } from "../services/discovery/space-rooms.ts";
import { UserDirectory } from "../services/discovery/user-directory.ts";
import type { FederationParts } from "./federation/parts.ts";
import type { Foundation } from "./foundation.ts";
import type { RoomParts } from "./rooms.ts";

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
  notifier.follow(["timeline", "membership"], follower.committed);
  return follower;
}

/** Finding rooms and people, here and on other servers. */
export function composeDiscovery(
  { config, clock, log, stores, names, graph, randomBytes, appservices, heardServers }: Foundation,
  { aliases, state }: Pick<RoomParts, "aliases" | "state">,
  { client, participation }: Pick<FederationParts, "client" | "participation">,
): readonly BoundEndpoint[] {
  const { roomSummaries: store, userDirectory, memberships } = stores;
  const { rooms, events } = graph;
  const { federation, server_name: serverName } = config;
  const visibility = new RoomVisibility(rooms, memberships);
  const children = new SpaceChildren(store, events);
  const others = participation.others.bind(participation);
  const remote = federation.enabled
    ? {
        directories: new FederatedDirectories(client),
        spaces: new FederatedSpaces({ client, others, clock, heard: heardServers }),
      }
    : undefined;
  const directory = new RoomDirectory(store, serverName, appservices.registry, remote?.directories);
  const spaceRooms = new SpaceRooms({
    store,
    rooms,
    memberships,
    children,
    visibility,
    remote: remote?.spaces,
  });
  const served = new ServedDiscovery({
    directory,
    store,
    rooms,
    state,
    children,
    participation,
    memberships,
    names,
    sharesDirectory: federation.share_room_directory,
  });
  return [
    ...roomDiscoveryHandlers({
      directory,
      summaries: new RoomSummaries(spaceRooms, aliases, visibility),
      hierarchy: new SpaceHierarchy({ rooms: spaceRooms, randomBytes, clock, log }),
    }),
    ...userDiscoveryHandlers(
      new UserDirectory(userDirectory, config.user_directory.search_all_users),
      new MutualRooms(userDirectory, names),
    ),
    ...(remote ? federationDiscoveryHandlers(served) : []),
  ];
}
