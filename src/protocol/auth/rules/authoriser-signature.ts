import { isUserId, serverNameOf } from "../../identifiers.ts";
import type { RoomEvent } from "../../pdu.ts";
import type { RoomVersion } from "../../room-versions.ts";
import { type AuthRejection, reject } from "../rejection.ts";

/**
 * The rule on who has vouched for a restricted join. It wants a valid signature: that the signatures which an event
 * needs are valid was found out when they were checked, so that its being there is enough here.
 */
export function authoriseAuthoriserSignature(
  version: RoomVersion,
  event: RoomEvent,
): AuthRejection | undefined {
  if (!version.restrictedJoin || event.type !== "m.room.member") return undefined;
  // 5.2. If content has a join_authorised_via_users_server key:
  if (!Object.hasOwn(event.content, "join_authorised_via_users_server")) return undefined;
  // 5.2.1. If the event is not validly signed by the homeserver of the user ID denoted by the key, reject.
  const authoriser = event.content["join_authorised_via_users_server"];
  if (typeof authoriser !== "string" || !isUserId(authoriser)) {
    return reject(
      version,
      "member.authoriser.signature",
      "join_authorised_via_users_server must be a user ID.",
    );
  }
  const server = serverNameOf(authoriser);
  if (Object.hasOwn(event.pdu.signatures, server)) return undefined;
  return reject(version, "member.authoriser.signature", `The join is not signed by ${server}.`);
}
