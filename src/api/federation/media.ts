import { Type } from "../../schema/type.ts";
import { serverEndpoint } from "../endpoint.ts";

const timeout = { timeout_ms: Type.Optional(Type.Integer({ minimum: 0 })) };

/** Server-server API, "Content Repository". */
export const getContent = serverEndpoint({
  operationId: "getContent",
  method: "GET",
  path: "/media/download/{mediaId}",
  versions: ["v1"],
  query: Type.Object(timeout),
});

export const getContentThumbnail = serverEndpoint({
  operationId: "getContentThumbnail",
  method: "GET",
  path: "/media/thumbnail/{mediaId}",
  versions: ["v1"],
  query: Type.Object({
    ...timeout,
    width: Type.Integer({ minimum: 1 }),
    height: Type.Integer({ minimum: 1 }),
    method: Type.Optional(Type.Enum(["crop", "scale"])),
    animated: Type.Optional(Type.Boolean()),
  }),
});
