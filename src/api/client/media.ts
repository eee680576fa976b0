import { Type } from "typebox";
import { endpoint } from "../endpoint.ts";

/** Uploading is where it was before media were for users of the server only. */
const uploadPrefix = "/_matrix/media";
const filename = Type.Object({ filename: Type.Optional(Type.String()) });
const timeout = { timeout_ms: Type.Optional(Type.Integer({ minimum: 0 })) };

export const uploadContent = endpoint({
  operationId: "uploadContent",
  method: "POST",
  prefix: uploadPrefix,
  path: "/upload",
  versions: ["v3", "r0", "v1"],
  access: "user",
  rateLimit: "media",
  query: filename,
});

export const createContent = endpoint({
  operationId: "createContent",
  method: "POST",
  prefix: uploadPrefix,
  path: "/create",
  versions: ["v1"],
  access: "user",
  rateLimit: "media",
});

export const uploadContentToMXC = endpoint({
  operationId: "uploadContentToMXC",
  method: "PUT",
  prefix: uploadPrefix,
  path: "/upload/{serverName}/{mediaId}",
  versions: ["v3"],
  access: "user",
  rateLimit: "media",
  query: filename,
});

export const getConfigAuthed = endpoint({
  operationId: "getConfigAuthed",
  method: "GET",
  path: "/media/config",
  versions: ["v1"],
  aliases: ["/_matrix/client/unstable/org.matrix.msc3916/media/config"],
  access: "user",
  rateLimit: "media",
});

export const getConfig = endpoint({
  operationId: "getConfig",
  method: "GET",
  prefix: uploadPrefix,
  path: "/config",
  versions: ["v3", "r0", "v1"],
  access: "user",
  rateLimit: "media",
});

export const getContentAuthed = endpoint({
  operationId: "getContentAuthed",
  method: "GET",
  path: "/media/download/{serverName}/{mediaId}",
  versions: ["v1"],
  aliases: ["/_matrix/client/unstable/org.matrix.msc3916/media/download/{serverName}/{mediaId}"],
  access: "user",
  guests: true,
  rateLimit: "media",
  query: Type.Object(timeout),
});

export const getContentOverrideNameAuthed = endpoint({
  operationId: "getContentOverrideNameAuthed",
  method: "GET",
  path: "/media/download/{serverName}/{mediaId}/{fileName}",
  versions: ["v1"],
  aliases: ["/_matrix/client/unstable/org.matrix.msc3916/media/download/{serverName}/{mediaId}/{fileName}"],
  access: "user",
  guests: true,
  rateLimit: "media",
  query: Type.Object(timeout),
});

export const getContentThumbnailAuthed = endpoint({
  operationId: "getContentThumbnailAuthed",
  method: "GET",
  path: "/media/thumbnail/{serverName}/{mediaId}",
  versions: ["v1"],
  aliases: ["/_matrix/client/unstable/org.matrix.msc3916/media/thumbnail/{serverName}/{mediaId}"],
  access: "user",
  guests: true,
  rateLimit: "media",
  query: Type.Object({
    ...timeout,
    width: Type.Integer({ minimum: 1 }),
    height: Type.Integer({ minimum: 1 }),
    method: Type.Optional(Type.Enum(["crop", "scale"])),
    animated: Type.Optional(Type.Boolean()),
  }),
});
