import type { JsonObject } from "../protocol/json.ts";

/** A user-interactive authentication stage is still to be done: `body` is the 401 answer (client-server API, "User-interactive API"). */
export class InteractiveAuthRequired extends Error {
  readonly body: JsonObject;

  constructor(body: JsonObject) {
    super("user-interactive authentication is required");
    this.name = "InteractiveAuthRequired";
    this.body = body;
  }
}
