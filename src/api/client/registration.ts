import { Type } from "../../schema/type.ts";
import { endpoint } from "../endpoint.ts";
import { interactiveAuthKey } from "./interactive-auth.ts";

export const register = endpoint({
  operationId: "register",
  method: "POST",
  path: "/register",
  versions: ["v3", "r0", "v1"],
  access: "optional-appservice",
  rateLimit: "registration",
  interactive: true,
  query: Type.Object({ kind: Type.Optional(Type.Enum(["guest", "user"])) }),
  body: Type.Object({
    ...interactiveAuthKey,
    /** `m.login.application_service`, for application services. */
    type: Type.Optional(Type.String()),
    username: Type.Optional(Type.String()),
    password: Type.Optional(Type.String()),
    device_id: Type.Optional(Type.String()),
    initial_device_display_name: Type.Optional(Type.String()),
    inhibit_login: Type.Optional(Type.Boolean()),
    refresh_token: Type.Optional(Type.Boolean()),
    guest_access_token: Type.Optional(Type.String()),
  }),
});

export const checkUsernameAvailability = endpoint({
  operationId: "checkUsernameAvailability",
  method: "GET",
  path: "/register/available",
  versions: ["v3", "r0"],
  access: "public",
  rateLimit: "login",
  query: Type.Object({ username: Type.String() }),
});

export const registrationTokenValidity = endpoint({
  operationId: "registrationTokenValidity",
  method: "GET",
  path: "/register/m.login.registration_token/validity",
  versions: ["v1"],
  access: "public",
  rateLimit: "login",
  query: Type.Object({ token: Type.String() }),
});
