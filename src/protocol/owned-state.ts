import { fitsIdentifierLimit, type UserId, parseUserId } from "./identifiers.ts";

/**
 * MSC3757, "Restricting who can overwrite a state event": the state key of owned state is `@user:server`, or that with an
 * underscore and a suffix. A state key that does not start with an `@` is nobody's.
 */
export const maxOwnedStateKeyBytes = 511;

/** The underscore included, so that any key of 255 bytes may follow a user ID. */
const maxSuffixBytes = 256;

/** What is wrong with a state key in a room version with owned state; `undefined` when nothing is. */
export function ownedStateKeyFault(stateKey: string): string | undefined {
  if (!stateKey.startsWith("@")) {
    return fitsIdentifierLimit(stateKey) ? undefined : "A state key without an owner has at most 255 bytes.";
  }
  const owner = stateKeyOwner(stateKey);
  if (owner === undefined) {
    return "A state key that starts with @ has to be a user ID, or one with an underscore and a suffix.";
  }
  if (Buffer.byteLength(stateKey) - Buffer.byteLength(owner) <= maxSuffixBytes) return undefined;
  return "What follows the user ID in a state key has at most 256 bytes.";
}

/** "The prefix of the state_key before the first _ that follows the first : (or end of string)", if it is a user ID. */
export function stateKeyOwner(stateKey: string): UserId | undefined {
  const colon = stateKey.indexOf(":");
  const end = stateKey.indexOf("_", colon);
  return colon === -1 ? undefined : parseUserId(end === -1 ? stateKey : stateKey.slice(0, end));
}
