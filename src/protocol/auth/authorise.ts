import { serverNameOf } from "../identifiers.ts";
import type { RoomEvent } from "../pdu.ts";
import type { RoomVersion } from "../room-versions.ts";
import type { AuthCheck } from "./auth-check.ts";
import { type AuthState, membershipOf } from "./auth-state.ts";
import { powerLevelsOf } from "./power-levels.ts";
import { type AuthRejection, reject } from "./rejection.ts";
import { authoriseAliases } from "./rules/aliases.ts";
import { authoriseCreate } from "./rules/create.ts";
import { authoriseMember } from "./rules/member.ts";
import { authorisePowerLevels } from "./rules/power-levels.ts";
import { authoriseRedaction } from "./rules/redaction.ts";
import { authoriseStateKey } from "./rules/state-key.ts";

/**
 * Judges an event by the authorisation rules that look at the room state (room versions, "Authorisation rules"). What
 * does not depend on the state is {@link authoriseStateless}: an event that arrives needs both.
 *
 * Numbers beside the rules, here and in `rules/`, are those of room version 12. A rejection has the number that the
 * rule has in the event's own room version, as does `rule-outline.ts` for all of them.
 *
 * @param state the room state before the event; asked for the pairs of `authEventTypesFor` and the create event
 * @returns the first rule that refuses, or `undefined` when the event is allowed
 */
export function authorise(
  version: RoomVersion,
  event: RoomEvent,
  state: AuthState,
): AuthRejection | undefined {
  if (event.type === "m.room.create") return authoriseCreate(version, event);

  const create = state.get("m.room.create", "");
  if (create === undefined) {
    const rule = version.roomIdIsCreateHash ? "room_id" : "auth_events.create";
    return reject(version, rule, "The room has no m.room.create event.");
  }
  const levels = powerLevelsOf(version, create, state.get("m.room.power_levels", ""));
  const check: AuthCheck = { version, event, state, create, levels };

  // 4. If the content of the m.room.create event has m.federate set to false, and the sender domain of the event does
  // not match the sender domain of the create event, reject.
  if (create.content["m.federate"] === false && serverNameOf(event.sender) !== serverNameOf(create.sender)) {
    return reject(version, "federate", `This room is only for users of ${serverNameOf(create.sender)}.`);
  }
  if (event.type === "m.room.aliases" && version.specialAliases) return authoriseAliases(version, event);
  // 5. If type is m.room.member.
  if (event.type === "m.room.member") return authoriseMember(check);
  return authoriseAsParticipant(check);
}

/** Rules 6 to 11: what a user who is in the room may send. */
function authoriseAsParticipant(check: AuthCheck): AuthRejection | undefined {
  const { version, event, state, levels } = check;
  const { sender, stateKey, type } = event;

  // 6. If the sender's current membership state is not join, reject.
  if (membershipOf(state, sender) !== "join") {
    return reject(version, "sender", `${sender} is not in the room.`);
  }

  const senderLevel = levels.userLevel(sender);
  if (type === "m.room.third_party_invite") {
    // 7.1. Allow if and only if sender's current power level is greater than or equal to the invite level.
    if (senderLevel >= levels.invite) return undefined;
    return reject(
      version,
      "third_party_invite.level",
      `Inviting to this room takes power level ${levels.invite}; ${sender} has ${senderLevel}.`,
    );
  }

  // 8. If the event type's required power level is greater than the sender's power level, reject.
  const requiredLevel = levels.eventLevel(type, stateKey !== undefined);
  if (requiredLevel > senderLevel) {
    return reject(
      version,
      "event_level",
      `Sending ${type} to this room takes power level ${requiredLevel}; ${sender} has ${senderLevel}.`,
    );
  }

  const byStateKey = authoriseStateKey(check);
  if (byStateKey) return byStateKey;

  // 10. If type is m.room.power_levels.
  if (type === "m.room.power_levels") return authorisePowerLevels(check);
  if (type === "m.room.redaction" && version.redactionInAuthRules) return authoriseRedaction(check);
  // 11. Otherwise, allow.
  return undefined;
}
