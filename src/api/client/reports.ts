import { Type } from "../../schema/type.ts";
import { endpoint } from "../endpoint.ts";

const report = Type.Object({ reason: Type.String() });

export const reportRoom = endpoint({
  operationId: "reportRoom",
  method: "POST",
  path: "/rooms/{roomId}/report",
  versions: ["v3"],
  aliases: ["/_matrix/client/unstable/org.matrix.msc4151/rooms/{roomId}/report"],
  access: "user",
  rateLimit: "default",
  body: report,
});

export const reportEvent = endpoint({
  operationId: "reportEvent",
  method: "POST",
  path: "/rooms/{roomId}/report/{eventId}",
  versions: ["v3", "r0"],
  access: "user",
  rateLimit: "default",
  body: Type.Object({
    reason: Type.Optional(Type.String()),
    // Taken away from the specification in v1.18, and still sent.
    score: Type.Optional(Type.Union([Type.Integer({ minimum: -100, maximum: 0 }), Type.Null()])),
  }),
});

export const reportUser = endpoint({
  operationId: "reportUser",
  method: "POST",
  path: "/users/{userId}/report",
  versions: ["v3"],
  aliases: ["/_matrix/client/unstable/org.matrix.msc4260/users/{userId}/report"],
  access: "user",
  rateLimit: "default",
  body: report,
});
