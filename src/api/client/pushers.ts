import { Type } from "../../schema/type.ts";
import { endpoint } from "../endpoint.ts";

const versions = ["v3", "r0"];

export const getPushers = endpoint({
  operationId: "getPushers",
  method: "GET",
  path: "/pushers",
  versions,
  access: "user",
  rateLimit: "default",
});

export const postPusher = endpoint({
  operationId: "postPusher",
  method: "POST",
  path: "/pushers/set",
  versions,
  access: "user",
  rateLimit: "default",
  body: Type.Object({
    kind: Type.Union([Type.String(), Type.Null()]),
    app_id: Type.String(),
    pushkey: Type.String(),
    app_display_name: Type.Optional(Type.String()),
    device_display_name: Type.Optional(Type.String()),
    profile_tag: Type.Optional(Type.String()),
    lang: Type.Optional(Type.String()),
    data: Type.Optional(
      Type.Object({ url: Type.Optional(Type.String()), format: Type.Optional(Type.String()) }),
    ),
    append: Type.Optional(Type.Boolean()),
    // Whether it is told of anything (MSC3881).
    "org.matrix.msc3881.enabled": Type.Optional(Type.Boolean()),
  }),
});
