import { Type } from "../../schema/type.ts";
import { endpoint } from "../endpoint.ts";

const shared = {
  method: "GET",
  versions: ["v3", "r0", "unstable"],
  access: "user",
  rateLimit: "default",
} as const;

export const getProtocols = endpoint({
  ...shared,
  operationId: "getProtocols",
  path: "/thirdparty/protocols",
});

export const getProtocolMetadata = endpoint({
  ...shared,
  operationId: "getProtocolMetadata",
  path: "/thirdparty/protocol/{protocol}",
});

/** Its query are the fields of the protocol, whatever those are. */
export const queryUserByProtocol = endpoint({
  ...shared,
  operationId: "queryUserByProtocol",
  path: "/thirdparty/user/{protocol}",
});

/** Its query are the fields of the protocol, whatever those are. */
export const queryLocationByProtocol = endpoint({
  ...shared,
  operationId: "queryLocationByProtocol",
  path: "/thirdparty/location/{protocol}",
});

export const queryUserById = endpoint({
  ...shared,
  operationId: "queryUserByID",
  path: "/thirdparty/user",
  query: Type.Object({ userid: Type.String() }),
});

export const queryLocationByAlias = endpoint({
  ...shared,
  operationId: "queryLocationByAlias",
  path: "/thirdparty/location",
  query: Type.Object({ alias: Type.String() }),
});
