import { Type } from "../../schema/type.ts";
import { endpoint } from "../endpoint.ts";

/** MSC4108 as of 2024, which is what clients have: plain text, and its revisions in ETags. */
const textPath = "/_matrix/client/unstable/org.matrix.msc4108/rendezvous";
const textSessionPath = "/_matrix/client/unstable/org.matrix.msc4108/rendezvous/{sessionId}";
/** MSC4388, its successor: JSON. */
const jsonPath = "/_matrix/client/unstable/io.element.msc4388/rendezvous";
const jsonSessionPath = "/_matrix/client/unstable/io.element.msc4388/rendezvous/{sessionId}";

export const createTextRendezvous = endpoint({
  operationId: "createTextRendezvous",
  method: "POST",
  path: textPath,
  versions: [],
  access: "public",
  rateLimit: "login",
});

export const getTextRendezvous = endpoint({
  operationId: "getTextRendezvous",
  method: "GET",
  path: textSessionPath,
  versions: [],
  access: "public",
  rateLimit: "default",
});

export const putTextRendezvous = endpoint({
  operationId: "putTextRendezvous",
  method: "PUT",
  path: textSessionPath,
  versions: [],
  access: "public",
  rateLimit: "default",
});

export const deleteTextRendezvous = endpoint({
  operationId: "deleteTextRendezvous",
  method: "DELETE",
  path: textSessionPath,
  versions: [],
  access: "public",
  rateLimit: "default",
});

export const discoverRendezvous = endpoint({
  operationId: "discoverRendezvous",
  method: "GET",
  path: jsonPath,
  versions: [],
  access: "optional-user",
  guests: true,
  rateLimit: "default",
});

/** "Requires authenticated user … should be the default." */
export const createRendezvous = endpoint({
  operationId: "createRendezvous",
  method: "POST",
  path: jsonPath,
  versions: [],
  access: "user",
  rateLimit: "login",
  body: Type.Object({ data: Type.String() }),
});

export const getRendezvous = endpoint({
  operationId: "getRendezvous",
  method: "GET",
  path: jsonSessionPath,
  versions: [],
  access: "public",
  rateLimit: "default",
});

export const putRendezvous = endpoint({
  operationId: "putRendezvous",
  method: "PUT",
  path: jsonSessionPath,
  versions: [],
  access: "public",
  rateLimit: "default",
  body: Type.Object({ sequence_token: Type.String(), data: Type.String() }),
});

export const deleteRendezvous = endpoint({
  operationId: "deleteRendezvous",
  method: "DELETE",
  path: jsonSessionPath,
  versions: [],
  access: "public",
  rateLimit: "default",
});
