import * as api from "../../../api/federation/memberships.ts";
import type { InboundInvites } from "../../../federation/inbound/invites.ts";
import type { HandshakeMembership, Handshakes } from "../../../federation/serving/handshakes.ts";
import type { ToldJoins } from "../../../federation/serving/told-joins.ts";
import type { ServerName } from "../../../protocol/identifiers.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../../protocol/json.ts";
import type { EventReader } from "../../../state/event-reader.ts";
import { type BoundEndpoint, handler } from "../../pipeline.ts";
import { JsonChunks } from "../../reply.ts";
import { pduChunks } from "./room-events.ts";

export interface MembershipHandling {
  readonly serverName: ServerName;
  readonly handshakes: Handshakes;
  readonly toldJoins: ToldJoins;
  readonly invites: InboundInvites;
  readonly events: Pick<EventReader, "storedAll">;
  /** What those outside are shown of a room, as JSON texts. */
  readonly strippedStateOf: (roomId: string) => Promise<readonly string[]>;
}

interface EventPath {
  readonly roomId: string;
  readonly eventId: string;
}

/** Servers that do not say which room versions they know are from before there was a second one. */
const oldestVersion = ["1"];

/** Server-server API, "Joining Rooms", "Knocking upon a room", "Inviting to a room", "Leaving Rooms". */
export function membershipHandlers(parts: MembershipHandling): BoundEndpoint[] {
  return [...templateHandlers(parts), ...acceptingHandlers(parts), ...inviteHandlers(parts)];
}

function templateHandlers({ serverName, handshakes }: MembershipHandling): BoundEndpoint[] {
  const template = async (
    origin: ServerName,
    { roomId, userId }: { readonly roomId: string; readonly userId: string },
    membership: HandshakeMembership,
    versions?: readonly string[],
  ) => {
    const { version, event } = await handshakes.template(origin, roomId, userId, membership, versions);
    return { room_version: version, event: { ...event, origin: serverName } };
  };
  return [
    handler(api.makeJoin, ({ requester, params, query }) =>
      template(requester.serverName, params, "join", query.ver ?? oldestVersion),
    ),
    handler(api.makeLeave, ({ requester, params }) => template(requester.serverName, params, "leave")),
    handler(api.makeKnock, ({ requester, params, query }) =>
      template(requester.serverName, params, "knock", query.ver ?? oldestVersion),
    ),
  ];
}

function acceptingHandlers(parts: MembershipHandling): BoundEndpoint[] {
  const { handshakes, strippedStateOf } = parts;
  const leave = (origin: ServerName, { roomId, eventId }: EventPath, body: object) =>
    handshakes.accept(origin, roomId, eventId, body as JsonValue, "leave");
  return [
    handler(api.sendJoinV2, async ({ requester, params, query, body }) => {
      const omitsMembers = query.omit_members === true;
      return new JsonChunks(await joinedRoom(parts, requester.serverName, params, body, omitsMembers));
    }),
    handler(api.sendJoinV1, async ({ requester, params, body }) => {
      const room = await joinedRoom(parts, requester.serverName, params, body, false);
      return new JsonChunks(["[200,", ...room, "]"]);
    }),
    handler(api.sendLeaveV2, async ({ requester, params, body }) => {
      await leave(requester.serverName, params, body);
      return {};
    }),
    handler(api.sendLeaveV1, async ({ requester, params, body }) => {
      await leave(requester.serverName, params, body);
      return [200, {}] satisfies [number, JsonObject];
    }),
    handler(api.sendKnock, async ({ requester, params, body }) => {
      const { roomId, eventId } = params;
      await handshakes.accept(requester.serverName, roomId, eventId, body as JsonValue, "knock");
      const shown = await strippedStateOf(roomId);
      return new JsonChunks([`{"knock_room_state":[${shown.join(",")}]}`]);
    }),
  ];
}

/** Takes a join, and gives what the joining server has to know of the room as pieces of JSON text. */
async function joinedRoom(
  { serverName, handshakes, toldJoins, events }: MembershipHandling,
  origin: ServerName,
  { roomId, eventId }: EventPath,
  body: object,
  omitsMembers: boolean,
): Promise<string[]> {
  const join = await handshakes.accept(origin, roomId, eventId, body as JsonValue, "join");
  const { state, authChain, servers } = await toldJoins.of(join, omitsMembers);
  return [
    `{"auth_chain":[`,
    ...(await pduChunks(events, authChain)),
    `],"event":{${join.common},${join.federation}},"members_omitted":${servers !== undefined}`,
    `,"origin":${JSON.stringify(serverName)}`,
    servers ? `,"servers_in_room":${JSON.stringify(servers)}` : "",
    `,"state":[`,
    ...(await pduChunks(events, state)),
    "]}",
  ];
}

function inviteHandlers({ invites }: MembershipHandling): BoundEndpoint[] {
  return [
    handler(api.sendInviteV2, async ({ requester, params, body }) => ({
      event: await invites.receive(requester.serverName, {
        ...params,
        version: body.room_version,
        pdu: body.event as JsonValue,
        strippedState: (body.invite_room_state ?? []) as JsonValue[],
      }),
    })),
    handler(api.sendInviteV1, async ({ requester, params, body }) => {
      const pdu = body as JsonObject;
      const unsigned = isJsonObject(pdu["unsigned"]) ? pdu["unsigned"] : {};
      const shown = unsigned["invite_room_state"];
      // The room's version is 1 or 2: the path does not say which, and events look alike in both.
      const event = await invites.receive(requester.serverName, {
        ...params,
        version: "1",
        pdu,
        strippedState: Array.isArray(shown) ? shown : [],
      });
      return [200, { event }] satisfies [number, JsonObject];
    }),
  ];
}
