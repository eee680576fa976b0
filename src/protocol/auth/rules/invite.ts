import { isJsonObject, type JsonObject } from "../../json.ts";
import { membershipOf } from "../auth-state.ts";
import type { AuthCheck } from "../auth-check.ts";
import { type AuthRejection, reject } from "../rejection.ts";
import { isSignedByInviteKey } from "./third-party-signature.ts";

/** 5.4. If membership is invite. */
export function authoriseInvite(check: AuthCheck, target: string): AuthRejection | undefined {
  const { version, event, state, levels } = check;
  const { sender } = event;
  // 5.4.1. If content has a third_party_invite property.
  if (Object.hasOwn(event.content, "third_party_invite")) return authoriseThirdPartyInvite(check, target);

  // 5.4.2. If the sender's current membership state is not join, reject.
  if (membershipOf(state, sender) !== "join") {
    return reject(version, "member.invite.sender", `${sender} is not in the room.`);
  }
  // 5.4.3. If target user's current membership state is join or ban, reject.
  const membership = membershipOf(state, target);
  if (membership === "ban") {
    return reject(version, "member.invite.target", `${target} is banned from the room.`);
  }
  if (membership === "join") {
    return reject(version, "member.invite.target", `${target} is already in the room.`);
  }
  // 5.4.4. If the sender's power level is greater than or equal to the invite level, allow.
  if (levels.userLevel(sender) >= levels.invite) return undefined;
  // 5.4.5. Otherwise, reject.
  return reject(
    version,
    "member.invite.otherwise",
    `Inviting to this room takes power level ${levels.invite}; ${sender} has ${levels.userLevel(sender)}.`,
  );
}

function authoriseThirdPartyInvite(check: AuthCheck, target: string): AuthRejection | undefined {
  const { version, event, state } = check;
  // 5.4.1.1. If target user is banned, reject.
  if (membershipOf(state, target) === "ban") {
    return reject(version, "member.invite.third_party.banned", `${target} is banned from the room.`);
  }
  // 5.4.1.2. If content.third_party_invite does not have a signed property, reject.
  const signed = signedObject(event.pdu.content);
  if (signed === undefined) {
    return reject(version, "member.invite.third_party.signed", "third_party_invite needs a signed object.");
  }
  // 5.4.1.3. If signed does not have mxid and token properties, reject.
  const { mxid, token } = signed;
  if (typeof mxid !== "string" || typeof token !== "string") {
    return reject(version, "member.invite.third_party.fields", "signed needs an mxid and a token.");
  }
  // 5.4.1.4. If mxid does not match state_key, reject.
  if (mxid !== target) {
    return reject(version, "member.invite.third_party.mxid", `The third-party invite is not for ${target}.`);
  }
  // 5.4.1.5. If there is no m.room.third_party_invite event in the current room state with state_key matching token,
  // reject.
  const invite = state.get("m.room.third_party_invite", token);
  if (invite === undefined) {
    return reject(version, "member.invite.third_party.token", "The room has no such third-party invite.");
  }
  // 5.4.1.6. If sender does not match sender of the m.room.third_party_invite, reject.
  if (event.sender !== invite.sender) {
    return reject(
      version,
      "member.invite.third_party.sender",
      `The third-party invite was sent by ${invite.sender}.`,
    );
  }
  // 5.4.1.7. If any signature in signed matches any public key in the m.room.third_party_invite event, allow.
  if (isSignedByInviteKey(signed, invite.content)) return undefined;
  // 5.4.1.8. Otherwise, reject.
  return reject(
    version,
    "member.invite.third_party.otherwise",
    "The third-party invite is not signed with one of its keys.",
  );
}

function signedObject(content: JsonObject): JsonObject | undefined {
  const thirdPartyInvite = content["third_party_invite"];
  const signed = isJsonObject(thirdPartyInvite) ? thirdPartyInvite["signed"] : undefined;
  return isJsonObject(signed) ? signed : undefined;
}
