import { isUserId, makeUserId, type ServerName, serverNameOf, type UserId } from "../protocol/identifiers.ts";
import { isJsonObject } from "../protocol/json.ts";
import { MatrixError } from "../protocol/matrix-error.ts";

/** The keys by which a login or a password stage names the user. */
export interface IdentifiesUser {
  readonly identifier?: unknown;
  /** Deprecated in favour of `identifier`. */
  readonly user?: unknown;
}

/**
 * The text by which a client names a user of this server: a user ID or a localpart (client-server API, "Identifier types").
 * @returns `undefined` when the client names nobody
 * @throws MatrixError M_FORBIDDEN for an email address or phone number, M_INVALID_PARAM for what cannot be understood.
 */
export function namedUser({ identifier, user }: IdentifiesUser): string | undefined {
  if (identifier === undefined) return asName(user, "user");
  if (!isJsonObject(identifier)) throw new MatrixError("M_INVALID_PARAM", "identifier has to be an object");
  const { type } = identifier;
  if (type === "m.id.user") return asName(identifier["user"], "identifier.user");
  if (type === "m.id.thirdparty" || type === "m.id.phone") {
    throw new MatrixError("M_FORBIDDEN", "No account has this email address or phone number");
  }
  throw new MatrixError("M_INVALID_PARAM", "identifier.type has to be m.id.user");
}

/** The user IDs that a name can mean, the likeliest first: people write their own names with capitals. */
export function userIdsNamed(name: string, serverName: ServerName): UserId[] {
  const userId = isUserId(name) ? name : makeUserId(name, serverName);
  if (!userId || serverNameOf(userId) !== serverName) return [];
  const lowerCase = makeUserId(userId.slice(1, userId.indexOf(":")).toLowerCase(), serverName);
  return lowerCase && lowerCase !== userId ? [userId, lowerCase] : [userId];
}

function asName(value: unknown, key: string): string | undefined {
  if (value === undefined || typeof value === "string") return value;
  throw new MatrixError("M_INVALID_PARAM", `${key} has to be a string`);
}
