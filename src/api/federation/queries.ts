import { Type } from "../../schema/type.ts";
import { serverEndpoint } from "../endpoint.ts";

/** Server-server API, "Querying for information". */
export const queryProfile = serverEndpoint({
  operationId: "queryProfile",
  method: "GET",
  path: "/query/profile",
  versions: ["v1"],
  query: Type.Object({ user_id: Type.String(), field: Type.Optional(Type.String()) }),
});

export const queryInfo = serverEndpoint({
  operationId: "queryInfo",
  method: "GET",
  path: "/query/{queryType}",
  versions: ["v1"],
});
