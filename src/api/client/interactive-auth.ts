import { Type } from "../../schema/type.ts";
import type { JsonObject } from "../../protocol/json.ts";

/**
 * `auth` in the body of an endpoint that uses user-interactive authentication: put it into the body's schema, and set
 * `interactive` in the declaration.
 */
export const interactiveAuthKey = {
  auth: Type.Optional(Type.Unsafe<JsonObject>({ type: "object" })),
};
