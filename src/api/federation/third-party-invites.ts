import { Type } from "../../schema/type.ts";
import { endpoint, serverEndpoint } from "../endpoint.ts";

const text = Type.String({ maxLength: 255 });
/** What an identity server has signed; further keys belong to it. */
const signed = Type.Object({ mxid: text, token: text, signatures: Type.Object({}) });

/** An address has rarely been invited to more rooms than that. */
const maxInvites = 100;

/** Server-server API, "Third-party invites": what identity servers tell, who sign nothing but the invites. */
export const onBindThirdPartyIdentifier = endpoint({
  operationId: "onBindThirdPartyIdentifier",
  method: "PUT",
  prefix: "/_matrix/federation",
  path: "/3pid/onbind",
  versions: ["v1"],
  api: "federation",
  access: "public",
  rateLimit: "invite",
  body: Type.Object({
    medium: text,
    address: Type.String({ maxLength: 500 }),
    mxid: text,
    invites: Type.Array(
      Type.Object({
        medium: text,
        address: Type.String({ maxLength: 500 }),
        mxid: text,
        room_id: text,
        sender: text,
        signed,
      }),
      { maxItems: maxInvites },
    ),
  }),
});

/** As identity servers have always told it: Sydent knows no other way. */
export const postOnBindThirdPartyIdentifier = endpoint({
  ...onBindThirdPartyIdentifier,
  operationId: "postOnBindThirdPartyIdentifier",
  method: "POST",
});

export const exchangeThirdPartyInvite = serverEndpoint({
  operationId: "exchangeThirdPartyInvite",
  method: "PUT",
  path: "/exchange_third_party_invite/{roomId}",
  versions: ["v1"],
  body: Type.Object({
    type: Type.Literal("m.room.member"),
    room_id: text,
    sender: text,
    state_key: text,
    content: Type.Object({
      membership: Type.Literal("invite"),
      third_party_invite: Type.Object({ signed }),
    }),
  }),
});
