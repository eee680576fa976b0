import { Type } from "../../schema/type.ts";
import { endpoint } from "../endpoint.ts";

const prefix = "/_matrix/key";

/** Server-server API, "Publishing Keys". */
export const getServerKey = endpoint({
  operationId: "getServerKey",
  method: "GET",
  prefix,
  path: "/server",
  versions: ["v2"],
  api: "federation",
  access: "public",
  rateLimit: "default",
});

/** Server-server API, "Querying Keys Through Another Server". */
export const perspectivesKeyQuery = endpoint({
  operationId: "perspectivesKeyQuery",
  method: "GET",
  prefix,
  path: "/query/{serverName}",
  versions: ["v2"],
  api: "federation",
  access: "public",
  rateLimit: "default",
  query: Type.Object({ minimum_valid_until_ts: Type.Optional(Type.Integer({ minimum: 0 })) }),
});

const queriedKey = Type.Object({ minimum_valid_until_ts: Type.Optional(Type.Integer({ minimum: 0 })) });
/** For each query another server may have to be asked. */
const maxQueriedServers = 100;
const maxQueriedKeys = 50;

export const bulkPerspectivesKeyQuery = endpoint({
  operationId: "bulkPerspectivesKeyQuery",
  method: "POST",
  prefix,
  path: "/query",
  versions: ["v2"],
  api: "federation",
  access: "public",
  rateLimit: "default",
  body: Type.Object({
    server_keys: Type.Record(
      Type.String(),
      Type.Record(Type.String(), queriedKey, { maxProperties: maxQueriedKeys }),
      {
        maxProperties: maxQueriedServers,
      },
    ),
  }),
});
