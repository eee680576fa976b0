import { isJsonObject } from "../json.ts";
import type { RoomEvent } from "../pdu.ts";
import type { RoomVersion } from "../room-versions.ts";

/** The place of an event in the room state. */
export type StatePair = readonly [type: string, stateKey: string];

const createPair: StatePair = ["m.room.create", ""];
const powerLevelsPair: StatePair = ["m.room.power_levels", ""];
const joinRulesPair: StatePair = ["m.room.join_rules", ""];

/**
 * The pairs of the room state whose events, as far as they exist, belong in an event's `auth_events`. No pair comes
 * twice. Specification: server-server API, "Auth events selection".
 */
export function authEventTypesFor(
  version: RoomVersion,
  event: Pick<RoomEvent, "type" | "sender" | "stateKey" | "content">,
): StatePair[] {
  if (event.type === "m.room.create") return [];
  const pairs: StatePair[] = version.roomIdIsCreateHash ? [powerLevelsPair] : [createPair, powerLevelsPair];
  pairs.push(["m.room.member", event.sender]);
  if (event.type === "m.room.member") addMemberPairs(version, event, pairs);
  return pairs;
}

function addMemberPairs(
  version: RoomVersion,
  event: Pick<RoomEvent, "sender" | "stateKey" | "content">,
  pairs: StatePair[],
): void {
  const { sender, stateKey, content } = event;
  if (stateKey !== undefined && stateKey !== sender) pairs.push(["m.room.member", stateKey]);

  const membership = content["membership"];
  if (membership === "join" || membership === "invite" || membership === "knock") pairs.push(joinRulesPair);
  if (membership === "invite") {
    const token = thirdPartyInviteToken(content["third_party_invite"]);
    if (token !== undefined) pairs.push(["m.room.third_party_invite", token]);
  }
  if (membership === "join" && version.restrictedJoin) {
    const authoriser = content["join_authorised_via_users_server"];
    if (typeof authoriser !== "string" || authoriser === sender || authoriser === stateKey) return;
    pairs.push(["m.room.member", authoriser]);
  }
}

function thirdPartyInviteToken(thirdPartyInvite: unknown): string | undefined {
  if (!isJsonObject(thirdPartyInvite)) return undefined;
  const signed = thirdPartyInvite["signed"];
  if (!isJsonObject(signed)) return undefined;
  const token = signed["token"];
  return typeof token === "string" ? token : undefined;
}
