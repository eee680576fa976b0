import { Type } from "../../schema/type.ts";
import { endpoint } from "../endpoint.ts";
import { interactiveAuthKey } from "./interactive-auth.ts";

const versions = ["v3", "r0"] as const;
const session = { sid: Type.String(), client_secret: Type.String() };
const address = { medium: Type.String(), address: Type.String(), id_server: Type.Optional(Type.String()) };

export const getAccount3PIDs = endpoint({
  operationId: "getAccount3PIDs",
  method: "GET",
  path: "/account/3pid",
  versions,
  access: "user",
  rateLimit: "default",
});

/** Deprecated in favour of `add3PID`, and the same. */
export const post3PIDs = endpoint({
  operationId: "post3PIDs",
  method: "POST",
  path: "/account/3pid",
  versions,
  access: "user",
  rateLimit: "login",
  interactive: true,
  body: Type.Object({ ...interactiveAuthKey, three_pid_creds: Type.Object(session) }),
});

export const add3PID = endpoint({
  operationId: "add3PID",
  method: "POST",
  path: "/account/3pid/add",
  versions,
  aliases: ["/_matrix/client/unstable/account/3pid/add"],
  access: "user",
  rateLimit: "login",
  interactive: true,
  body: Type.Object({ ...interactiveAuthKey, ...session }),
});

export const bind3PID = endpoint({
  operationId: "bind3PID",
  method: "POST",
  path: "/account/3pid/bind",
  versions,
  aliases: ["/_matrix/client/unstable/account/3pid/bind"],
  access: "user",
  rateLimit: "login",
  body: Type.Object({ ...session, id_server: Type.String(), id_access_token: Type.String() }),
});

export const delete3pidFromAccount = endpoint({
  operationId: "delete3pidFromAccount",
  method: "POST",
  path: "/account/3pid/delete",
  versions,
  access: "user",
  rateLimit: "login",
  body: Type.Object(address),
});

export const unbind3pidFromAccount = endpoint({
  operationId: "unbind3pidFromAccount",
  method: "POST",
  path: "/account/3pid/unbind",
  versions,
  aliases: ["/_matrix/client/unstable/account/3pid/unbind"],
  access: "user",
  rateLimit: "login",
  body: Type.Object(address),
});
