import type { JsonObject } from "../../protocol/json.ts";
import { parseUserId, type ServerName, serverNameOf, type UserId } from "../../protocol/identifiers.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";

/** By server name, why its users' keys are missing from an answer. */
export type KeyFailures = JsonObject;

/** Which of the asked users are of this server, and which servers cannot be asked. */
export interface UsersByReach<Wanted> {
  readonly local: readonly (readonly [UserId, Wanted])[];
  readonly failures: KeyFailures;
}

/**
 * Tells local users from those of servers that cannot be reached.
 * @throws MatrixError M_INVALID_PARAM for what is no user ID.
 */
export function usersByReach<Wanted>(
  wanted: Iterable<readonly [string, Wanted]>,
  serverName: ServerName,
): UsersByReach<Wanted> {
  const local: [UserId, Wanted][] = [];
  const failures: [string, JsonObject][] = [];
  for (const [text, value] of wanted) {
    const userId = parseUserId(text);
    if (!userId) throw new MatrixError("M_INVALID_PARAM", "Users are named like @name:server");
    const server = serverNameOf(userId);
    if (server === serverName) local.push([userId, value]);
    else failures.push([server, { errcode: "M_UNKNOWN", error: `${server} cannot be reached` }]);
  }
  return { local, failures: Object.fromEntries(failures) };
}
