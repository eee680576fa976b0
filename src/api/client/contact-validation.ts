import { Type } from "../../schema/type.ts";
import { endpoint } from "../endpoint.ts";

const versions = ["v3", "r0"] as const;

/** `id_server` is ignored: addresses are proved to this server. */
const request = {
  client_secret: Type.String(),
  send_attempt: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
  next_link: Type.Optional(Type.String()),
  id_server: Type.Optional(Type.String()),
  id_access_token: Type.Optional(Type.String()),
};
const emailRequest = Type.Object({ ...request, email: Type.String() });
const phoneRequest = Type.Object({ ...request, country: Type.String(), phone_number: Type.String() });

export const requestTokenTo3PIDEmail = endpoint({
  operationId: "requestTokenTo3PIDEmail",
  method: "POST",
  path: "/account/3pid/email/requestToken",
  versions,
  access: "public",
  rateLimit: "login",
  body: emailRequest,
});

export const requestTokenTo3PIDMSISDN = endpoint({
  operationId: "requestTokenTo3PIDMSISDN",
  method: "POST",
  path: "/account/3pid/msisdn/requestToken",
  versions,
  access: "public",
  rateLimit: "login",
  body: phoneRequest,
});

export const requestTokenToRegisterEmail = endpoint({
  operationId: "requestTokenToRegisterEmail",
  method: "POST",
  path: "/register/email/requestToken",
  versions,
  access: "public",
  rateLimit: "login",
  body: emailRequest,
});

export const requestTokenToRegisterMSISDN = endpoint({
  operationId: "requestTokenToRegisterMSISDN",
  method: "POST",
  path: "/register/msisdn/requestToken",
  versions,
  access: "public",
  rateLimit: "login",
  body: phoneRequest,
});

export const requestTokenToResetPasswordEmail = endpoint({
  operationId: "requestTokenToResetPasswordEmail",
  method: "POST",
  path: "/account/password/email/requestToken",
  versions,
  access: "public",
  rateLimit: "login",
  body: emailRequest,
});

export const requestTokenToResetPasswordMSISDN = endpoint({
  operationId: "requestTokenToResetPasswordMSISDN",
  method: "POST",
  path: "/account/password/msisdn/requestToken",
  versions,
  access: "public",
  rateLimit: "login",
  body: phoneRequest,
});

/** The page that the link in an e-mail leads to. Opening it proves nothing yet: programs that check mail open links too. */
export const getContactConfirmation = endpoint({
  operationId: "getContactConfirmation",
  method: "GET",
  path: "/_matrix/client/unstable/hearth/contacts/confirm",
  versions: [],
  access: "public",
  rateLimit: "default",
  query: Type.Object({ sid: Type.String(), token: Type.String() }),
});

/** As `submitToken` of the identity service API: what `submit_url` names, and what the page sends. */
export const submitContactToken = endpoint({
  operationId: "submitContactToken",
  method: "POST",
  path: "/_matrix/client/unstable/hearth/contacts/confirm",
  versions: [],
  access: "public",
  rateLimit: "login",
  body: Type.Object({
    sid: Type.String(),
    token: Type.String(),
    client_secret: Type.Optional(Type.String()),
  }),
});
