import { Type } from "../../schema/type.ts";
import { endpoint } from "../endpoint.ts";
import { interactiveAuthKey } from "./interactive-auth.ts";

export const getTokenOwner = endpoint({
  operationId: "getTokenOwner",
  method: "GET",
  path: "/account/whoami",
  versions: ["v3", "r0"],
  access: "user",
  guests: true,
  rateLimit: "default",
});

export const changePassword = endpoint({
  operationId: "changePassword",
  method: "POST",
  path: "/account/password",
  versions: ["v3", "r0"],
  // Whoever has forgotten the password proves an address.
  access: "optional-user",
  rateLimit: "login",
  interactive: true,
  body: Type.Object({
    ...interactiveAuthKey,
    new_password: Type.String(),
    logout_devices: Type.Optional(Type.Boolean()),
  }),
});

export const deactivateAccount = endpoint({
  operationId: "deactivateAccount",
  method: "POST",
  path: "/account/deactivate",
  versions: ["v3", "r0"],
  access: "user",
  rateLimit: "login",
  interactive: true,
  body: Type.Object({
    ...interactiveAuthKey,
    id_server: Type.Optional(Type.String()),
    erase: Type.Optional(Type.Boolean()),
  }),
});

export const getCapabilities = endpoint({
  operationId: "getCapabilities",
  method: "GET",
  path: "/capabilities",
  versions: ["v3", "r0"],
  access: "user",
  rateLimit: "default",
});
