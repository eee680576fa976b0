import { parseEmailAddress } from "../protocol/email-address.ts";
import { isUserId, makeUserId, type ServerName, serverNameOf, type UserId } from "../protocol/identifiers.ts";
import { isJsonObject } from "../protocol/json.ts";
import { MatrixError } from "../protocol/matrix-error.ts";
import { isMsisdn, parsePhoneNumber } from "../protocol/phone-number.ts";
import type { ContactAddress } from "../storage/contacts.ts";

/** The keys by which a login or a password stage names the user. */
export interface IdentifiesUser {
  readonly identifier?: unknown;
  /** Deprecated in favour of `identifier`. */
  readonly user?: unknown;
  /** Deprecated in favour of `identifier`: an address in the user's account. */
  readonly medium?: unknown;
  readonly address?: unknown;
}

/**
 * The text by which a client names a user of this server: a user ID or a localpart (client-server API, "Identifier types").
 * Those who are named by an address are for {@link namedContact}.
 * @returns `undefined` when the client names nobody
 * @throws MatrixError M_INVALID_PARAM for what cannot be understood.
 */
export function namedUser({ identifier, user }: IdentifiesUser): string | undefined {
  if (identifier === undefined) return asName(user, "user");
  if (!isJsonObject(identifier)) throw new MatrixError("M_INVALID_PARAM", "identifier has to be an object");
  const { type } = identifier;
  if (type === "m.id.user") return asName(identifier["user"], "identifier.user");
  throw new MatrixError(
    "M_INVALID_PARAM",
    "identifier.type has to be m.id.user, m.id.thirdparty or m.id.phone",
  );
}

/**
 * The address by which a client names a user of this server.
 * @returns `undefined` when it does not name one by an address
 * @throws MatrixError M_INVALID_PARAM for what is none
 */
export function namedContact({
  identifier,
  user,
  medium,
  address,
}: IdentifiesUser): ContactAddress | undefined {
  if (identifier === undefined) {
    return user === undefined && medium !== undefined ? contactOf(medium, address) : undefined;
  }
  if (!isJsonObject(identifier)) return undefined;
  const { type, country, phone, number } = identifier;
  if (type === "m.id.thirdparty") return contactOf(identifier["medium"], identifier["address"]);
  if (type !== "m.id.phone") return undefined;
  // Old clients say number.
  const dialled = phone ?? number;
  const isText = typeof country === "string" && typeof dialled === "string";
  const msisdn = isText ? parsePhoneNumber(country, dialled) : undefined;
  if (msisdn !== undefined) return { medium: "msisdn", address: msisdn };
  throw new MatrixError(
    "M_INVALID_PARAM",
    "identifier needs a country such as GB, and a phone number in phone",
  );
}

/**
 * An address in its canonical form.
 * @throws MatrixError M_INVALID_PARAM for what is none
 */
export function contactOf(medium: unknown, address: unknown): ContactAddress {
  if (medium === "email" && typeof address === "string") {
    const email = parseEmailAddress(address);
    if (email !== undefined) return { medium, address: email };
  }
  if (medium === "msisdn" && typeof address === "string" && isMsisdn(address)) return { medium, address };
  throw new MatrixError(
    "M_INVALID_PARAM",
    "medium has to be email, with an e-mail address in address, or msisdn, with digits that begin with the country's code",
  );
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
