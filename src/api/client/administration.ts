import { Type } from "../../schema/type.ts";
import { endpoint } from "../endpoint.ts";

export const getWhoIs = endpoint({
  operationId: "getWhoIs",
  method: "GET",
  path: "/admin/whois/{userId}",
  versions: ["v3", "r0"],
  access: "user",
  rateLimit: "default",
});

export const getAdminSuspendUser = endpoint({
  operationId: "getAdminSuspendUser",
  method: "GET",
  path: "/admin/suspend/{userId}",
  versions: ["v1"],
  access: "admin",
  rateLimit: "default",
});

export const setAdminSuspendUser = endpoint({
  operationId: "setAdminSuspendUser",
  method: "PUT",
  path: "/admin/suspend/{userId}",
  versions: ["v1"],
  access: "admin",
  rateLimit: "default",
  body: Type.Object({ suspended: Type.Boolean() }),
});

export const getAdminLockUser = endpoint({
  operationId: "getAdminLockUser",
  method: "GET",
  path: "/admin/lock/{userId}",
  versions: ["v1"],
  access: "admin",
  rateLimit: "default",
});

export const setAdminLockUser = endpoint({
  operationId: "setAdminLockUser",
  method: "PUT",
  path: "/admin/lock/{userId}",
  versions: ["v1"],
  access: "admin",
  rateLimit: "default",
  body: Type.Object({ locked: Type.Boolean() }),
});
