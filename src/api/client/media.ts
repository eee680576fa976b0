import { Type } from "../../schema/type.ts";
import { endpoint } from "../endpoint.ts";

/** Uploading is where it was before media were for users of the server only. */
const uploadPrefix = "/_matrix/media";
const filename = Type.Object({ filename: Type.Optional(Type.String()) });
const timeout = { timeout_ms: Type.Optional(Type.Integer({ minimum: 0 })) };
/** Of the unauthenticated endpoints. No answer of this server is a redirect. */
const unauthenticated = {
  ...timeout,
  allow_remote: Type.Optional(Type.Boolean()),
  allow_redirect: Type.Optional(Type.Boolean()),
};
const thumbnail = {
  width: Type.Integer({ minimum: 1 }),
  height: Type.Integer({ minimum: 1 }),
  method: Type.Optional(Type.Enum(["crop", "scale"])),
  animated: Type.Optional(Type.Boolean()),
};
const preview = Type.Object({ url: Type.String(), ts: Type.Optional(Type.Integer({ minimum: 0 })) });

export const uploadContent = endpoint({
  operationId: "uploadContent",
  method: "POST",
  prefix: uploadPrefix,
  path: "/upload",
  versions: ["v3", "r0", "v1"],
  access: "user",
  rateLimit: "upload",
  query: filename,
});

export const createContent = endpoint({
  operationId: "createContent",
  method: "POST",
  prefix: uploadPrefix,
  path: "/create",
  versions: ["v1", "v3", "r0"],
  aliases: ["/_matrix/media/unstable/fi.mau.msc2246/create"],
  access: "user",
  rateLimit: "upload",
});

export const uploadContentToMXC = endpoint({
  operationId: "uploadContentToMXC",
  method: "PUT",
  prefix: uploadPrefix,
  path: "/upload/{serverName}/{mediaId}",
  versions: ["v3", "r0", "v1"],
  aliases: ["/_matrix/media/unstable/fi.mau.msc2246/upload/{serverName}/{mediaId}"],
  access: "user",
  rateLimit: "upload",
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
  query: Type.Object({ ...timeout, ...thumbnail }),
});

export const getContent = endpoint({
  operationId: "getContent",
  method: "GET",
  prefix: uploadPrefix,
  path: "/download/{serverName}/{mediaId}",
  versions: ["v3", "r0", "v1"],
  access: "public",
  rateLimit: "media",
  query: Type.Object(unauthenticated),
});

export const getContentOverrideName = endpoint({
  operationId: "getContentOverrideName",
  method: "GET",
  prefix: uploadPrefix,
  path: "/download/{serverName}/{mediaId}/{fileName}",
  versions: ["v3", "r0", "v1"],
  access: "public",
  rateLimit: "media",
  query: Type.Object(unauthenticated),
});

export const getContentThumbnail = endpoint({
  operationId: "getContentThumbnail",
  method: "GET",
  prefix: uploadPrefix,
  path: "/thumbnail/{serverName}/{mediaId}",
  versions: ["v3", "r0", "v1"],
  access: "public",
  rateLimit: "media",
  query: Type.Object({ ...unauthenticated, ...thumbnail }),
});

export const getUrlPreviewAuthed = endpoint({
  operationId: "getUrlPreviewAuthed",
  method: "GET",
  path: "/media/preview_url",
  versions: ["v1"],
  aliases: ["/_matrix/client/unstable/org.matrix.msc3916/media/preview_url"],
  access: "user",
  rateLimit: "url-preview",
  query: preview,
});

export const getUrlPreview = endpoint({
  operationId: "getUrlPreview",
  method: "GET",
  prefix: uploadPrefix,
  path: "/preview_url",
  versions: ["v3", "r0", "v1"],
  access: "user",
  rateLimit: "url-preview",
  query: preview,
});
