import { Type } from "../../schema/type.ts";
import { endpoint } from "../endpoint.ts";

export const requestOpenIdToken = endpoint({
  operationId: "requestOpenIdToken",
  method: "POST",
  path: "/user/{userId}/openid/request_token",
  versions: ["v3", "r0"],
  access: "user",
  rateLimit: "default",
  body: Type.Object({}),
});
