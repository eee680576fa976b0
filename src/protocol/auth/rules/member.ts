import { membershipOf } from "../auth-state.ts";
import type { AuthCheck } from "../auth-check.ts";
import { type AuthRejection, reject } from "../rejection.ts";
import { authoriseInvite } from "./invite.ts";
import { authoriseJoin, authoriseKnock } from "./join.ts";

/** 5. If type is m.room.member. Rule 5.2 does not depend on the state and is in `authoriser-signature.ts`. */
export function authoriseMember(check: AuthCheck): AuthRejection | undefined {
  const { version, event } = check;
  const { stateKey: target, content } = event;
  // 5.1. If there is no state_key property, or no membership property in content, reject.
  if (target === undefined || !Object.hasOwn(content, "membership")) {
    return reject(version, "member.form", "m.room.member needs a state key and a membership.");
  }
  switch (content["membership"]) {
    case "join":
      return authoriseJoin(check, target);
    case "invite":
      return authoriseInvite(check, target);
    case "leave":
      return authoriseLeave(check, target);
    case "ban":
      return authoriseBan(check, target);
    case "knock":
      if (version.knock) return authoriseKnock(check, target);
  }
  // 5.8. Otherwise, the membership is unknown. Reject.
  return reject(version, "member.unknown", "This room version does not know that membership.");
}

/** 5.5. If membership is leave. */
function authoriseLeave(check: AuthCheck, target: string): AuthRejection | undefined {
  const { version, event, state, levels } = check;
  const { sender } = event;
  const senderMembership = membershipOf(state, sender);

  // 5.5.1. If the sender matches state_key, allow if and only if that user's current membership state is invite, join, or
  // knock.
  if (sender === target) {
    if (senderMembership === "invite" || senderMembership === "join") return undefined;
    if (version.knock && senderMembership === "knock") return undefined;
    return reject(version, "member.leave.own", `${sender} is not in the room and cannot leave it.`);
  }
  // 5.5.2. If the sender's current membership state is not join, reject.
  if (senderMembership !== "join") {
    return reject(version, "member.leave.sender", `${sender} is not in the room.`);
  }
  // 5.5.3. If the target user's current membership state is ban, and the sender's power level is less than the ban level,
  // reject.
  const senderLevel = levels.userLevel(sender);
  if (membershipOf(state, target) === "ban" && senderLevel < levels.ban) {
    return reject(
      version,
      "member.leave.unban",
      `Lifting a ban takes power level ${levels.ban} in this room.`,
    );
  }
  // 5.5.4. If the sender's power level is greater than or equal to the kick level, and the target user's power level is
  // less than the sender's power level, allow.
  if (senderLevel >= levels.kick && levels.userLevel(target) < senderLevel) return undefined;
  // 5.5.5. Otherwise, reject.
  return reject(
    version,
    "member.leave.otherwise",
    `Removing ${target} takes power level ${levels.kick} and more than that user has.`,
  );
}

/** 5.6. If membership is ban. */
function authoriseBan(check: AuthCheck, target: string): AuthRejection | undefined {
  const { version, event, state, levels } = check;
  const { sender } = event;
  // 5.6.1. If the sender's current membership state is not join, reject.
  if (membershipOf(state, sender) !== "join") {
    return reject(version, "member.ban.sender", `${sender} is not in the room.`);
  }
  // 5.6.2. If the sender's power level is greater than or equal to the ban level, and the target user's power level is
  // less than the sender's power level, allow.
  const senderLevel = levels.userLevel(sender);
  if (senderLevel >= levels.ban && levels.userLevel(target) < senderLevel) return undefined;
  // 5.6.3. Otherwise, reject.
  return reject(
    version,
    "member.ban.otherwise",
    `Banning ${target} takes power level ${levels.ban} and more than that user has.`,
  );
}
