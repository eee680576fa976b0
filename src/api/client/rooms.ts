import { Type } from "../../schema/type.ts";
import type { JsonObject } from "../../protocol/json.ts";
import { endpoint } from "../endpoint.ts";

const versions = ["v3", "r0", "v1"] as const;
/** Content of an event: any JSON object. */
const content = Type.Record(Type.String(), Type.Unknown());
const reason = { reason: Type.Optional(Type.String()) };
/** Somebody who is known by an e-mail address or telephone number only. */
const thirdParty = Type.Object({
  // The specification demands them; this server can do without.
  id_server: Type.Optional(Type.String()),
  id_access_token: Type.Optional(Type.String()),
  medium: Type.String(),
  address: Type.String(),
});
/** An invitation that an identity server has signed. */
const joinBody = Type.Object({
  ...reason,
  third_party_signed: Type.Optional(
    Type.Unsafe<JsonObject & { mxid: string; token: string; sender: string }>(
      Type.Object({
        sender: Type.String(),
        mxid: Type.String(),
        token: Type.String(),
        signatures: Type.Record(Type.String(), Type.Record(Type.String(), Type.String())),
      }),
    ),
  ),
});

export const createRoom = endpoint({
  operationId: "createRoom",
  method: "POST",
  path: "/createRoom",
  versions: ["v3", "r0"],
  access: "user",
  rateLimit: "default",
  body: Type.Object({
    visibility: Type.Optional(Type.Enum(["public", "private"])),
    room_alias_name: Type.Optional(Type.String()),
    name: Type.Optional(Type.String()),
    topic: Type.Optional(Type.String()),
    invite: Type.Optional(Type.Array(Type.String())),
    invite_3pid: Type.Optional(Type.Array(thirdParty)),
    room_version: Type.Optional(Type.String()),
    creation_content: Type.Optional(content),
    initial_state: Type.Optional(
      Type.Array(Type.Object({ type: Type.String(), state_key: Type.Optional(Type.String()), content })),
    ),
    preset: Type.Optional(Type.Enum(["private_chat", "public_chat", "trusted_private_chat"])),
    is_direct: Type.Optional(Type.Boolean()),
    "uk.timedout.msc4491.invite_reason": Type.Optional(Type.String()),
    power_level_content_override: Type.Optional(content),
  }),
});

const serverNames = Type.Optional(Type.Array(Type.String(), { maxItems: 100 }));
/** `server_name` is what clients said up to version 1.11 of the specification. */
const viaServers = Type.Object({ via: serverNames, server_name: serverNames });

export const joinRoomById = endpoint({
  operationId: "joinRoomById",
  method: "POST",
  path: "/rooms/{roomId}/join",
  versions,
  access: "user",
  guests: true,
  rateLimit: "join",
  body: joinBody,
});

export const joinRoom = endpoint({
  operationId: "joinRoom",
  method: "POST",
  path: "/join/{roomIdOrAlias}",
  versions,
  access: "user",
  guests: true,
  rateLimit: "join",
  query: viaServers,
  body: joinBody,
});

export const knockRoom = endpoint({
  operationId: "knockRoom",
  method: "POST",
  path: "/knock/{roomIdOrAlias}",
  versions: ["v3"],
  access: "user",
  rateLimit: "join",
  query: viaServers,
  body: Type.Object(reason),
});

/** Also `inviteBy3PID`, which has `medium` and `address` in the place of `user_id`. */
export const inviteUser = endpoint({
  operationId: "inviteUser",
  method: "POST",
  path: "/rooms/{roomId}/invite",
  versions,
  access: "user",
  rateLimit: "invite",
  body: Type.Object({
    user_id: Type.Optional(Type.String()),
    medium: Type.Optional(Type.String()),
    address: Type.Optional(Type.String()),
    id_server: Type.Optional(Type.String()),
    id_access_token: Type.Optional(Type.String()),
    ...reason,
  }),
});

export const leaveRoom = endpoint({
  operationId: "leaveRoom",
  method: "POST",
  path: "/rooms/{roomId}/leave",
  versions,
  access: "user",
  guests: true,
  rateLimit: "default",
  body: Type.Object(reason),
});

export const forgetRoom = endpoint({
  operationId: "forgetRoom",
  method: "POST",
  path: "/rooms/{roomId}/forget",
  versions,
  access: "user",
  rateLimit: "default",
  body: Type.Object({}),
});

const otherUser = Type.Object({ user_id: Type.String(), ...reason });
/** Whether what the user has sent is to be redacted (MSC4293). */
export const redactEventsKey = "org.matrix.msc4293.redact_events";
const removedUser = Type.Object({
  ...otherUser.properties,
  [redactEventsKey]: Type.Optional(Type.Boolean()),
});

export const kick = endpoint({
  operationId: "kick",
  method: "POST",
  path: "/rooms/{roomId}/kick",
  versions,
  access: "user",
  rateLimit: "default",
  body: removedUser,
});

export const ban = endpoint({
  operationId: "ban",
  method: "POST",
  path: "/rooms/{roomId}/ban",
  versions,
  access: "user",
  rateLimit: "default",
  body: removedUser,
});

export const unban = endpoint({
  operationId: "unban",
  method: "POST",
  path: "/rooms/{roomId}/unban",
  versions,
  access: "user",
  rateLimit: "default",
  body: otherUser,
});
