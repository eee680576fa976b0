import { serverNameOf } from "../../identifiers.ts";
import type { RoomEvent } from "../../pdu.ts";
import type { RoomVersion } from "../../room-versions.ts";
import { type AuthRejection, reject } from "../rejection.ts";

/** Until room version 5, 4: If type is m.room.aliases. */
export function authoriseAliases(version: RoomVersion, event: RoomEvent): AuthRejection | undefined {
  // 4.1. If event has no state_key, reject.
  if (event.stateKey === undefined) {
    return reject(version, "aliases.state_key", "m.room.aliases needs a state key.");
  }
  // 4.2. If sender's domain doesn't match state_key, reject.
  if (serverNameOf(event.sender) !== event.stateKey) {
    return reject(version, "aliases.server", "A user may only set the aliases of their own server.");
  }
  // 4.3. Otherwise, allow.
  return undefined;
}
