import { Type } from "../../schema/type.ts";
import { endpoint } from "../endpoint.ts";

export const getRegistrationNonce = endpoint({
  operationId: "adminGetRegistrationNonce",
  method: "GET",
  path: "/_synapse/admin/v1/register",
  versions: [],
  api: "admin",
  access: "public",
  rateLimit: "registration",
});

export const registerWithSharedSecret = endpoint({
  operationId: "adminRegister",
  method: "POST",
  path: "/_synapse/admin/v1/register",
  versions: [],
  api: "admin",
  access: "public",
  rateLimit: "registration",
  body: Type.Object({
    nonce: Type.String(),
    username: Type.String(),
    displayname: Type.Optional(Type.String()),
    password: Type.String(),
    admin: Type.Optional(Type.Boolean()),
    user_type: Type.Optional(Type.Union([Type.String(), Type.Null()])),
    mac: Type.String(),
    inhibit_login: Type.Optional(Type.Boolean()),
  }),
});
