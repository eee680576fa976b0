import { Type } from "../../schema/type.ts";
import type { JsonObject } from "../../protocol/json.ts";
import { endpoint } from "../endpoint.ts";

export const getAuthFallback = endpoint({
  operationId: "getAuthFallback",
  method: "GET",
  path: "/auth/{authType}/fallback/web",
  versions: ["v3", "r0"],
  access: "public",
  rateLimit: "default",
  query: Type.Object({ session: Type.Optional(Type.String()), provider: Type.Optional(Type.String()) }),
});

export const completeAuthFallback = endpoint({
  operationId: "completeAuthFallback",
  method: "POST",
  path: "/auth/{authType}/fallback/web",
  versions: ["v3", "r0"],
  access: "public",
  rateLimit: "login",
  body: Type.Unsafe<JsonObject & { session: string }>(Type.Object({ session: Type.String() })),
});

export const getLoginFallback = endpoint({
  operationId: "getLoginFallback",
  method: "GET",
  path: "/_matrix/static/client/login/",
  versions: [],
  aliases: ["/_matrix/static/client/login"],
  access: "public",
  rateLimit: "default",
});
