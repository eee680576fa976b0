import { Type } from "../../schema/type.ts";
import { endpoint } from "../endpoint.ts";
import { interactiveAuthKey } from "./interactive-auth.ts";

export const getLoginFlows = endpoint({
  operationId: "getLoginFlows",
  method: "GET",
  path: "/login",
  versions: ["v3", "r0", "v1"],
  access: "public",
  rateLimit: "default",
});

export const login = endpoint({
  operationId: "login",
  method: "POST",
  path: "/login",
  versions: ["v3", "r0", "v1"],
  access: "optional-appservice",
  rateLimit: "login",
  body: Type.Object({
    type: Type.String(),
    identifier: Type.Optional(Type.Object({})),
    user: Type.Optional(Type.String()),
    medium: Type.Optional(Type.String()),
    address: Type.Optional(Type.String()),
    password: Type.Optional(Type.String()),
    token: Type.Optional(Type.String()),
    device_id: Type.Optional(Type.String()),
    initial_device_display_name: Type.Optional(Type.String()),
    refresh_token: Type.Optional(Type.Boolean()),
  }),
});

export const generateLoginToken = endpoint({
  operationId: "generateLoginToken",
  method: "POST",
  path: "/login/get_token",
  versions: ["v1"],
  access: "user",
  rateLimit: "login",
  interactive: true,
  body: Type.Object(interactiveAuthKey),
});

export const refresh = endpoint({
  operationId: "refresh",
  method: "POST",
  path: "/refresh",
  versions: ["v3", "v1"],
  access: "public",
  rateLimit: "default",
  body: Type.Object({ refresh_token: Type.String() }),
});

export const logout = endpoint({
  operationId: "logout",
  method: "POST",
  path: "/logout",
  versions: ["v3", "r0"],
  access: "user",
  whileLocked: true,
  rateLimit: "none",
});

export const logoutAll = endpoint({
  operationId: "logout_all",
  method: "POST",
  path: "/logout/all",
  versions: ["v3", "r0"],
  access: "user",
  whileLocked: true,
  rateLimit: "none",
});
