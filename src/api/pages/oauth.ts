import { Type } from "../../schema/type.ts";
import { endpoint } from "../endpoint.ts";

// The endpoints of OAuth 2.0 itself. Clients find them in `GET /auth_metadata`.

export const oauthAuthorize = endpoint({
  operationId: "oauthAuthorize",
  method: "GET",
  path: "/oauth2/authorize",
  versions: [],
  access: "public",
  rateLimit: "authorization",
});

/** Where a browser goes on when its user has answered. */
export const oauthResume = endpoint({
  operationId: "oauthResume",
  method: "GET",
  path: "/oauth2/authorize/{uid}",
  versions: [],
  access: "public",
  rateLimit: "authorization",
});

export const oauthToken = endpoint({
  operationId: "oauthToken",
  method: "POST",
  path: "/oauth2/token",
  versions: [],
  access: "public",
  rateLimit: "default",
});

export const oauthDevice = endpoint({
  operationId: "oauthDevice",
  method: "POST",
  path: "/oauth2/device",
  versions: [],
  access: "public",
  rateLimit: "authorization",
});

export const oauthKeys = endpoint({
  operationId: "oauthKeys",
  method: "GET",
  path: "/oauth2/keys.json",
  versions: [],
  access: "public",
  rateLimit: "default",
});

export const oauthRegister = endpoint({
  operationId: "oauthRegister",
  method: "POST",
  path: "/oauth2/register",
  versions: [],
  access: "public",
  rateLimit: "registration",
  body: Type.Unknown(),
  maxBodyBytes: 64 * 1024,
});

export const oauthRevoke = endpoint({
  operationId: "oauthRevoke",
  method: "POST",
  path: "/oauth2/revoke",
  versions: [],
  access: "public",
  rateLimit: "default",
  bodyFormat: "form",
  body: Type.Object({ token: Type.Optional(Type.String()) }),
});
