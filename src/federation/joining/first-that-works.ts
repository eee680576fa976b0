import type { ServerName } from "../../protocol/identifiers.ts";
import { isJsonObject } from "../../protocol/json.ts";
import { type Errcode, MatrixError } from "../../protocol/matrix-error.ts";
import { FederationError } from "../federation-client.ts";

/** A room has many servers, and somebody waits. */
const maxServers = 8;

/**
 * Does something by way of one of several servers: the first that can.
 * @throws MatrixError what a server answers that speaks for the room, M_CONNECTION_FAILED when none can be reached,
 *   M_NOT_FOUND when there are none
 */
export async function firstThatWorks<Result>(
  servers: readonly ServerName[],
  work: (server: ServerName) => Promise<Result>,
): Promise<Result> {
  let refusal: FederationError | undefined;
  for (const server of [...new Set(servers)].slice(0, maxServers)) {
    try {
      return await work(server);
    } catch (error) {
      if (!(error instanceof FederationError)) throw error;
      if (isFinal(error)) throw matrixError(error);
      if (error.failure === "refused") refusal ??= error;
    }
  }
  if (refusal) throw matrixError(refusal);
  if (servers.length === 0) throw new MatrixError("M_NOT_FOUND", "No server is known that is in the room");
  throw new MatrixError("M_CONNECTION_FAILED", "No server that is in the room can be reached");
}

/** Whether another server would answer the same: what the room's rules say. */
function isFinal({ errcode }: FederationError): boolean {
  return errcode === "M_FORBIDDEN" || errcode === "M_INCOMPATIBLE_ROOM_VERSION";
}

/** What other servers may say to this server's users. Other codes, such as those of tokens, would mislead their clients. */
const passedOn: ReadonlySet<string> = new Set<Errcode>([
  "M_BAD_STATE",
  "M_FORBIDDEN",
  "M_INCOMPATIBLE_ROOM_VERSION",
  "M_INVITE_BLOCKED",
  "M_LIMIT_EXCEEDED",
  "M_NOT_FOUND",
  "M_UNABLE_TO_AUTHORISE_JOIN",
  "M_UNABLE_TO_GRANT_JOIN",
  "ORG.MATRIX.MSC4155.M_INVITE_BLOCKED",
]);

/** What another server has answered, for the client that waits. */
export function matrixError({ failure, errcode = "", body, message }: FederationError): MatrixError {
  if (failure === "unreachable") {
    return new MatrixError(
      "M_CONNECTION_FAILED",
      "The other server cannot be reached, or gives no usable answer",
    );
  }
  const answer = isJsonObject(body) ? body : {};
  const { error: text, room_version: version } = answer;
  // "The Client-Server API request SHOULD fail with a 5xx error rather than being passed through."
  const code = passedOn.has(errcode) ? (errcode as Errcode) : "M_BAD_STATUS";
  const details = typeof version === "string" ? { room_version: version.slice(0, 100) } : {};
  return new MatrixError(code, typeof text === "string" ? text.slice(0, 500) : message, details);
}
