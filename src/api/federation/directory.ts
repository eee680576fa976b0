import { Type } from "../../schema/type.ts";
import { serverEndpoint } from "../endpoint.ts";

/** Server-server API, "Querying for information". */
export const queryRoomDirectory = serverEndpoint({
  operationId: "queryRoomDirectory",
  method: "GET",
  path: "/query/directory",
  versions: ["v1"],
  query: Type.Object({ room_alias: Type.String() }),
});
