import { Type } from "../../schema/type.ts";
import type { JsonObject } from "../../protocol/json.ts";
import { endpoint } from "../endpoint.ts";
import { deviceKeys, oneTimeKeys } from "./encryption-keys.ts";

/** MSC3814 has unstable paths only. */
const path = "/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device";
const eventsPath = "/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device/{deviceId}/events";

export const getDehydratedDevice = endpoint({
  operationId: "getDehydratedDevice",
  method: "GET",
  path,
  versions: [],
  access: "user",
  rateLimit: "default",
});

export const putDehydratedDevice = endpoint({
  operationId: "putDehydratedDevice",
  method: "PUT",
  path,
  versions: [],
  access: "user",
  rateLimit: "default",
  body: Type.Object({
    device_id: Type.String(),
    device_data: Type.Unsafe<JsonObject>(Type.Object({ algorithm: Type.String() })),
    initial_device_display_name: Type.Optional(Type.Union([Type.String(), Type.Null()])),
    device_keys: deviceKeys,
    one_time_keys: Type.Optional(oneTimeKeys),
    fallback_keys: Type.Optional(oneTimeKeys),
  }),
});

export const deleteDehydratedDevice = endpoint({
  operationId: "deleteDehydratedDevice",
  method: "DELETE",
  path,
  versions: [],
  access: "user",
  rateLimit: "default",
});

export const getDehydratedDeviceEvents = endpoint({
  operationId: "getDehydratedDeviceEvents",
  method: "GET",
  path: eventsPath,
  versions: [],
  access: "user",
  rateLimit: "default",
  query: Type.Object({ from: Type.Optional(Type.String()) }),
});

/** The same as older drafts had it. */
export const postDehydratedDeviceEvents = endpoint({
  operationId: "postDehydratedDeviceEvents",
  method: "POST",
  path: eventsPath,
  versions: [],
  access: "user",
  rateLimit: "default",
  body: Type.Object({ next_batch: Type.Optional(Type.String()) }),
});
