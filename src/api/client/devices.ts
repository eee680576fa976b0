import { Type } from "../../schema/type.ts";
import { endpoint } from "../endpoint.ts";
import { interactiveAuthKey } from "./interactive-auth.ts";

export const getDevices = endpoint({
  operationId: "getDevices",
  method: "GET",
  path: "/devices",
  versions: ["v3", "r0"],
  access: "user",
  guests: true,
  rateLimit: "default",
});

export const getDevice = endpoint({
  operationId: "getDevice",
  method: "GET",
  path: "/devices/{deviceId}",
  versions: ["v3", "r0"],
  access: "user",
  guests: true,
  rateLimit: "default",
});

export const updateDevice = endpoint({
  operationId: "updateDevice",
  method: "PUT",
  path: "/devices/{deviceId}",
  versions: ["v3", "r0"],
  access: "user",
  guests: true,
  rateLimit: "default",
  body: Type.Object({ display_name: Type.Optional(Type.String()) }),
});

export const deleteDevice = endpoint({
  operationId: "deleteDevice",
  method: "DELETE",
  path: "/devices/{deviceId}",
  versions: ["v3", "r0"],
  access: "user",
  rateLimit: "default",
  interactive: true,
  body: Type.Object(interactiveAuthKey),
});

export const deleteDevices = endpoint({
  operationId: "deleteDevices",
  method: "POST",
  path: "/delete_devices",
  versions: ["v3", "r0"],
  access: "user",
  rateLimit: "default",
  interactive: true,
  body: Type.Object({
    ...interactiveAuthKey,
    devices: Type.Array(Type.String(), { maxItems: 1000 }),
  }),
});
