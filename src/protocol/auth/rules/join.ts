import type { RoomVersion } from "../../room-versions.ts";
import { joinRuleOf, membershipOf } from "../auth-state.ts";
import type { AuthCheck } from "../auth-check.ts";
import { type AuthRejection, reject } from "../rejection.ts";

/** 5.3. If membership is join. */
export function authoriseJoin(check: AuthCheck, target: string): AuthRejection | undefined {
  const { version, event, state } = check;
  // 5.3.1. If the only previous event is an m.room.create and the state_key is the sender of the m.room.create, allow.
  if (isCreatorsFirstJoin(check, target)) return undefined;

  // 5.3.2. If the sender does not match state_key, reject.
  if (event.sender !== target) {
    return reject(version, "member.join.sender", "Nobody can join on behalf of another user.");
  }
  // 5.3.3. If the sender is banned, reject.
  const membership = membershipOf(state, target);
  if (membership === "ban") {
    return reject(version, "member.join.banned", `${target} is banned from the room.`);
  }

  const isExpected = membership === "invite" || membership === "join";
  const joinRule = joinRuleOf(state);
  // 5.3.4. If the join_rule is invite or knock then allow if membership state is invite or join.
  if (isExpected && (joinRule === "invite" || (joinRule === "knock" && version.knock))) return undefined;
  // 5.3.5. If the join_rule is restricted or knock_restricted:
  if (isRestricted(version, joinRule)) {
    // 5.3.5.1. If membership state is join or invite, allow.
    return isExpected ? undefined : authoriseByAuthoriser(check);
  }
  // 5.3.6. If the join_rule is public, allow.
  if (joinRule === "public") return undefined;
  // 5.3.7. Otherwise, reject.
  return reject(version, "member.join.otherwise", `${target} is not invited to this room.`);
}

function isCreatorsFirstJoin({ version, event, create }: AuthCheck, target: string): boolean {
  if (event.prevEventIds.length !== 1 || event.prevEventIds[0] !== create.eventId) return false;
  return target === (version.creatorIsSender ? create.sender : create.content["creator"]);
}

function isRestricted(version: RoomVersion, joinRule: string): boolean {
  if (joinRule === "restricted") return version.restrictedJoin;
  return joinRule === "knock_restricted" && version.knockRestricted;
}

function authoriseByAuthoriser(check: AuthCheck): AuthRejection | undefined {
  const { version, event, state, levels } = check;
  // 5.3.5.2. If the join_authorised_via_users_server key in content is not a user with sufficient permission to invite
  // other users or is not a joined member of the room, reject.
  const authoriser = event.content["join_authorised_via_users_server"];
  if (typeof authoriser !== "string" || membershipOf(state, authoriser) !== "join") {
    return reject(
      version,
      "member.join.restricted.authoriser",
      "Joining this room without an invite takes a member of it who vouches for the conditions.",
    );
  }
  if (levels.userLevel(authoriser) < levels.invite) {
    return reject(
      version,
      "member.join.restricted.authoriser",
      `${authoriser} may not invite and so cannot vouch for a join.`,
    );
  }
  // 5.3.5.3. Otherwise, allow.
  return undefined;
}

/** 5.7. If membership is knock. */
export function authoriseKnock(check: AuthCheck, target: string): AuthRejection | undefined {
  const { version, event, state } = check;
  // 5.7.1. If the join_rule is anything other than knock or knock_restricted, reject.
  const joinRule = joinRuleOf(state);
  if (joinRule !== "knock" && !(joinRule === "knock_restricted" && version.knockRestricted)) {
    return reject(version, "member.knock.join_rule", "This room does not take knocks.");
  }
  // 5.7.2. If sender does not match state_key, reject.
  if (event.sender !== target) {
    return reject(version, "member.knock.sender", "Nobody can knock on behalf of another user.");
  }
  // 5.7.3. If the sender's current membership is not ban, invite, or join, allow.
  const membership = membershipOf(state, target);
  if (membership !== "ban" && membership !== "invite" && membership !== "join") return undefined;
  // 5.7.4. Otherwise, reject.
  return reject(
    version,
    "member.knock.otherwise",
    membership === "ban" ? `${target} is banned from the room.` : `${target} has no need to knock.`,
  );
}
