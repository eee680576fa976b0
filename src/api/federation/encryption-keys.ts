import { Type } from "../../schema/type.ts";
import { serverEndpoint } from "../endpoint.ts";

/** The users of one server that many of another talk with. */
const maxUsersBodyBytes = 2 * 1024 * 1024;

/** Server-server API, "Device Management". */
export const getUserDevices = serverEndpoint({
  operationId: "getUserDevices",
  method: "GET",
  path: "/user/devices/{userId}",
  versions: ["v1"],
});

/** Server-server API, "End-to-End Encryption". */
export const queryUserEncryptionKeys = serverEndpoint({
  operationId: "queryUserEncryptionKeys",
  method: "POST",
  path: "/user/keys/query",
  versions: ["v1"],
  maxBodyBytes: maxUsersBodyBytes,
  body: Type.Object({ device_keys: Type.Record(Type.String(), Type.Array(Type.String())) }),
});

/** Server-server API, "End-to-End Encryption". */
export const claimUserEncryptionKeys = serverEndpoint({
  operationId: "claimUserEncryptionKeys",
  method: "POST",
  path: "/user/keys/claim",
  versions: ["v1"],
  maxBodyBytes: maxUsersBodyBytes,
  body: Type.Object({
    one_time_keys: Type.Record(Type.String(), Type.Record(Type.String(), Type.String())),
  }),
});
