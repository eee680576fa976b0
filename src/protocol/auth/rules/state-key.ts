import { ownedStateKeyFault, stateKeyOwner } from "../../owned-state.ts";
import type { AuthCheck } from "../auth-check.ts";
import { type AuthRejection, reject } from "../rejection.ts";

/** 9. Whose state it is. */
export function authoriseStateKey(check: AuthCheck): AuthRejection | undefined {
  const { version, event } = check;
  const { sender, stateKey } = event;
  if (stateKey === undefined) return undefined;
  if (version.ownedState) return authoriseOwnedState(check, stateKey);
  // 9. If the event has a state_key that starts with an @ and does not match the sender, reject.
  if (!stateKey.startsWith("@") || stateKey === sender) return undefined;
  return reject(version, "state_key", `Only ${stateKey} may set state under that user ID.`);
}

/** MSC3757, which numbers it 8, as room versions 6 to 11 do. */
function authoriseOwnedState(
  { version, event: { sender }, levels }: AuthCheck,
  stateKey: string,
): AuthRejection | undefined {
  // 8.1.1. If the prefix of the state_key before the first _ that follows the first : is not a valid user ID, reject.
  // 8.1.2. If the size of the state_key without its leading user ID is greater than 256 bytes, reject.
  // 8.2. Otherwise, if the size of the state_key is greater than 255 bytes, reject.
  const fault = ownedStateKeyFault(stateKey);
  if (fault !== undefined) return reject(version, "state_key", fault);
  const owner = stateKey.startsWith("@") ? stateKeyOwner(stateKey) : undefined;
  if (owner === undefined || owner === sender) return undefined;
  // 8.1.3. If the leading user ID does not match the sender, and the sender's power level is not greater than that of the
  // user denoted by that ID, reject.
  if (levels.userLevel(sender) > levels.userLevel(owner)) return undefined;
  return reject(
    version,
    "state_key",
    `Only ${owner}, and who has more power, may set state under that user ID.`,
  );
}
