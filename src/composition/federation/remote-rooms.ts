import { RemoteJoins } from "../../federation/joining/remote-joins.ts";
import { RemoteMemberships } from "../../federation/joining/remote-memberships.ts";
import { MembershipSigner } from "../../federation/joining/signed-membership.ts";
import { VouchedJoins } from "../../federation/joining/vouched-joins.ts";
import { MembershipRequests } from "../../federation/requests/membership-requests.ts";
import type { RemoteRooms } from "../../services/rooms/remote-rooms.ts";
import type { Foundation } from "../foundation.ts";
import type { FederationParts } from "./parts.ts";

/** Rooms in which nobody of this server is: joining, knocking on and leaving them by way of others. */
export function composeRemoteRooms(
  { config, clock, log, randomBytes, signingKey: key, stores, graph, partialRooms }: Foundation,
  parts: Pick<
    FederationParts,
    "client" | "checks" | "toldStates" | "participation" | "shown" | "completions"
  >,
): RemoteRooms {
  const { client, checks, toldStates, participation, shown, completions } = parts;
  const { receiver, outliers, rooms, writer, events } = graph;
  const requests = new MembershipRequests(client);
  const signer = new MembershipSigner({ serverName: config.server_name, key, clock, randomBytes });
  return new RemoteMemberships({
    client,
    requests,
    signer,
    joins: new RemoteJoins({
      requests,
      signer,
      checks,
      toldStates,
      outliers,
      receiver,
      rooms,
      partialRooms,
      completions,
      others: (servers) => participation.others(servers),
    }),
    vouchedJoins: new VouchedJoins({ requests, signer, checks, toldStates, receiver }),
    checks,
    writer,
    receiver,
    outliers,
    events,
    eventStore: stores.events,
    memberships: stores.memberships,
    participation,
    strippedStateOf: (room, inviter) => shown.of(room, inviter),
    log,
  });
}
