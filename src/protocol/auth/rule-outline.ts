import type { RoomVersion } from "../room-versions.ts";

type When = (version: RoomVersion) => boolean;
type Row = readonly [depth: 1 | 2 | 3 | 4, name: string, when?: When];

const restrictedJoin: When = (version) => version.restrictedJoin;
const integerPowerLevels: When = (version) => version.integerPowerLevels;
const privilegedCreators: When = (version) => version.privilegedCreators;

/**
 * The authorisation rules of all room versions in the order of the specification, nested by depth. A row with a
 * condition is absent from the versions which do not meet it, together with the rows nested in it: counting the rows
 * that are left gives a rule the number that it has in the rendered page of its room version.
 */
const outline = [
  [1, "create"],
  [2, "create.prev_events"],
  [2, "create.room_id"],
  [2, "create.room_version"],
  [2, "create.creator", (version) => !version.creatorIsSender],
  [2, "create.additional_creators", privilegedCreators],
  [2, "create.allow"],
  [1, "room_id", (version) => version.roomIdIsCreateHash],
  [1, "auth_events"],
  [2, "auth_events.duplicate"],
  [2, "auth_events.unselected"],
  [2, "auth_events.rejected"],
  [2, "auth_events.create", (version) => !version.roomIdIsCreateHash],
  [2, "auth_events.room"],
  [1, "federate"],
  [1, "aliases", (version) => version.specialAliases],
  [2, "aliases.state_key"],
  [2, "aliases.server"],
  [2, "aliases.allow"],
  [1, "member"],
  [2, "member.form"],
  [2, "member.authoriser", restrictedJoin],
  [3, "member.authoriser.signature"],
  [2, "member.join"],
  [3, "member.join.first"],
  [3, "member.join.sender"],
  [3, "member.join.banned"],
  [3, "member.join.invited"],
  [3, "member.join.restricted", restrictedJoin],
  [4, "member.join.restricted.invited"],
  [4, "member.join.restricted.authoriser"],
  [4, "member.join.restricted.allow"],
  [3, "member.join.public"],
  [3, "member.join.otherwise"],
  [2, "member.invite"],
  [3, "member.invite.third_party"],
  [4, "member.invite.third_party.banned"],
  [4, "member.invite.third_party.signed"],
  [4, "member.invite.third_party.fields"],
  [4, "member.invite.third_party.mxid"],
  [4, "member.invite.third_party.token"],
  [4, "member.invite.third_party.sender"],
  [4, "member.invite.third_party.signature"],
  [4, "member.invite.third_party.otherwise"],
  [3, "member.invite.sender"],
  [3, "member.invite.target"],
  [3, "member.invite.level"],
  [3, "member.invite.otherwise"],
  [2, "member.leave"],
  [3, "member.leave.own"],
  [3, "member.leave.sender"],
  [3, "member.leave.unban"],
  [3, "member.leave.kick"],
  [3, "member.leave.otherwise"],
  [2, "member.ban"],
  [3, "member.ban.sender"],
  [3, "member.ban.level"],
  [3, "member.ban.otherwise"],
  [2, "member.knock", (version) => version.knock],
  [3, "member.knock.join_rule"],
  [3, "member.knock.sender"],
  [3, "member.knock.membership"],
  [3, "member.knock.otherwise"],
  [2, "member.unknown"],
  [1, "sender"],
  [1, "third_party_invite"],
  [2, "third_party_invite.level"],
  [1, "event_level"],
  [1, "state_key"],
  [1, "power_levels"],
  [2, "power_levels.integers", integerPowerLevels],
  [2, "power_levels.maps", integerPowerLevels],
  [2, "power_levels.users"],
  [2, "power_levels.creators", privilegedCreators],
  [2, "power_levels.first"],
  [2, "power_levels.levels"],
  [3, "power_levels.levels.current"],
  [3, "power_levels.levels.new"],
  [2, "power_levels.entries_changed"],
  [3, "power_levels.entries_changed.current"],
  [2, "power_levels.entries_added"],
  [3, "power_levels.entries_added.new"],
  [2, "power_levels.users_changed"],
  [3, "power_levels.users_changed.current"],
  [2, "power_levels.users_added"],
  [3, "power_levels.users_added.new"],
  [2, "power_levels.allow"],
  [1, "redaction", (version) => version.redactionInAuthRules],
  [2, "redaction.level"],
  [2, "redaction.server"],
  [2, "redaction.otherwise"],
  [1, "allow"],
] as const satisfies readonly Row[];

/** The name of an authorisation rule, the same in every room version. */
export type AuthRule = (typeof outline)[number][1];

const numbersByVersion = new WeakMap<RoomVersion, ReadonlyMap<string, string>>();

/**
 * The number of an authorisation rule in the text of a room version, such as `5.3.2`; `undefined` when the version
 * does not have the rule.
 */
export function ruleNumber(version: RoomVersion, rule: AuthRule): string | undefined {
  let numbers = numbersByVersion.get(version);
  if (numbers === undefined) {
    numbers = numberRules(version);
    numbersByVersion.set(version, numbers);
  }
  return numbers.get(rule);
}

function numberRules(version: RoomVersion): ReadonlyMap<string, string> {
  const numbers = new Map<string, string>();
  const counters: number[] = [];
  let absentBelow = Number.POSITIVE_INFINITY;
  for (const row of outline) {
    const [depth, name, when]: Row = row;
    if (depth > absentBelow) continue;
    absentBelow = Number.POSITIVE_INFINITY;
    if (when !== undefined && !when(version)) {
      absentBelow = depth;
      continue;
    }
    counters.length = depth;
    counters[depth - 1] = (counters[depth - 1] ?? 0) + 1;
    numbers.set(name, counters.join("."));
  }
  return numbers;
}
