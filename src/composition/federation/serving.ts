import { TokenBuckets } from "../../auth/token-buckets.ts";
import { InboundInvites, inviteLimit } from "../../federation/inbound/invites.ts";
import { Handshakes } from "../../federation/serving/handshakes.ts";
import { directoryQueryHandlers } from "../../http/handlers/federation/directory.ts";
import { thirdPartyExchangeHandlers } from "../../http/handlers/federation/third-party-invites.ts";
import { membershipHandlers } from "../../http/handlers/federation/memberships.ts";
import type { RoomParts } from "../rooms.ts";
import { ServedRooms } from "../../federation/serving/served-rooms.ts";
import { ToldJoins } from "../../federation/serving/told-joins.ts";
import { ServerVisibility } from "../../federation/serving/server-visibility.ts";
import { roomEventHandlers } from "../../http/handlers/federation/room-events.ts";
import type { BoundEndpoint } from "../../http/pipeline.ts";
import type { Foundation } from "../foundation.ts";
import type { RoomViews } from "../../timeline/room-view.ts";
import type { FederationParts } from "./parts.ts";

export type ServedRoomParts = Pick<
  RoomParts,
  "restricted" | "invites" | "blocked" | "aliases" | "state" | "bindings" | "redemption"
>;

/** What other servers read of the rooms of this one, and how their users come into them and go. */
export function composeFederationServing(
  { config, clock, stores, graph, names, signingKey: key, policyServers }: Foundation,
  { checks, participation, servers, shown }: FederationParts,
  views: RoomViews,
  { restricted, invites, blocked, aliases, state, bindings, redemption }: ServedRoomParts,
): readonly BoundEndpoint[] {
  const serverName = config.server_name;
  const visibility = new ServerVisibility({
    views,
    events: graph.events,
    memberships: stores.memberships,
    names,
  });
  const rooms = new ServedRooms({
    rooms: graph.rooms,
    participation,
    visibility,
    eventStore: stores.events,
    events: graph.events,
    snapshots: graph.snapshots,
  });
  const handshakes = new Handshakes({
    serverName,
    key,
    rooms: graph.rooms,
    participation,
    writer: graph.writer,
    receiver: graph.receiver,
    checks,
    restricted,
    eventStore: stores.events,
    approve: (room, received) =>
      policyServers.approve(room, received, { event: (type, stateKey) => state.event(room, type, stateKey) }),
  });
  const inboundInvites = new InboundInvites({
    serverName,
    key,
    checks,
    outliers: graph.outliers,
    participation,
    accounts: stores.accounts,
    permission: invites,
    blocked,
    names,
    eventStore: stores.events,
    limits: new TokenBuckets(inviteLimit, clock),
  });
  return [
    ...roomEventHandlers({ serverName, rooms, events: graph.events, clock }),
    ...membershipHandlers({
      serverName,
      handshakes,
      toldJoins: new ToldJoins({
        ...graph,
        ownName: serverName,
        servers,
        eventStore: stores.events,
        memberships: stores.memberships,
        names,
      }),
      invites: inboundInvites,
      events: graph.events,
      strippedStateOf: async (roomId) => {
        const room = await graph.rooms.find(roomId);
        return room ? shown.of(room) : [];
      },
    }),
    ...thirdPartyExchangeHandlers({
      bindings,
      redemption,
      roomFor: (server, roomId) => handshakes.room(server, roomId),
    }),
    ...directoryQueryHandlers({ serverName, aliases }),
  ];
}
