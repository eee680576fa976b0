import { Type } from "../../schema/type.ts";
import { endpoint } from "../endpoint.ts";

const versions = ["v3", "r0"] as const;

/** Whether the fully read marker may go back (MSC4446). */
const allowBackward = { "com.beeper.allow_backward": Type.Optional(Type.Boolean()) };

export const postReceipt = endpoint({
  operationId: "postReceipt",
  method: "POST",
  path: "/rooms/{roomId}/receipt/{receiptType}/{eventId}",
  versions,
  access: "user",
  rateLimit: "default",
  // What is wrong with a thread ID is M_INVALID_PARAM, which the service says.
  body: Type.Object({ thread_id: Type.Optional(Type.Unknown()), ...allowBackward }),
});

export const setReadMarker = endpoint({
  operationId: "setReadMarker",
  method: "POST",
  path: "/rooms/{roomId}/read_markers",
  versions,
  access: "user",
  rateLimit: "default",
  body: Type.Object({
    "m.fully_read": Type.Optional(Type.String()),
    "m.read": Type.Optional(Type.String()),
    "m.read.private": Type.Optional(Type.String()),
    ...allowBackward,
  }),
});
