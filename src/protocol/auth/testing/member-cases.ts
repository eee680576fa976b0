import type { EventId } from "../../identifiers.ts";
import type { JsonObject } from "../../json.ts";
import type { AuthRejection } from "../rejection.ts";
import type { RuleCase } from "./rule-cases.ts";
import { type Draft, user } from "./test-event.ts";
import type { TestRoom } from "./test-room.ts";

/** Judges a change of one user's membership by another. */
function change(
  room: TestRoom,
  sender: string,
  target: string,
  membership: string,
  more: JsonObject = {},
): AuthRejection | undefined {
  return room.judge(member(sender, target, membership, more));
}

function member(sender: string, target: string, membership: string, more: JsonObject = {}): Draft {
  return { type: "m.room.member", sender, key: user(target), content: { membership, ...more } };
}

const afterCreate = { prev: ["$create" as EventId, "$create:example.org" as EventId] };

function firstJoin(room: TestRoom, target: string, prev: readonly EventId[]): AuthRejection | undefined {
  return room.without("m.room.member").judge({ ...member(target, target, "join"), prev });
}

function createId(room: TestRoom): EventId {
  return room.events[0]?.eventId ?? ("$none" as EventId);
}

function withAuthoriser(name: string): JsonObject {
  return { join_authorised_via_users_server: user(name) };
}

const joinCases: readonly RuleCase[] = [
  {
    rule: "member.join.otherwise",
    about: "the creator joins first",
    refused: (room) => firstJoin(room, "carol", [createId(room)]),
    allowed: (room) => firstJoin(room, "alice", [createId(room)]),
  },
  {
    rule: "member.join.otherwise",
    about: "the creator joins first and not later",
    refused: (room) => firstJoin(room, "alice", [createId(room), ...afterCreate.prev]),
    allowed: (room) => firstJoin(room, "alice", [createId(room)]),
  },
  {
    rule: "member.join.sender",
    refused: (room) => change(room.withJoinRule("public"), "alice", "dave", "join"),
    allowed: (room) => change(room.withJoinRule("public"), "dave", "dave", "join"),
  },
  {
    rule: "member.join.banned",
    refused: (room) => change(room.withJoinRule("public").withMember("dave", "ban"), "dave", "dave", "join"),
    allowed: (room) =>
      change(room.withJoinRule("public").withMember("dave", "leave"), "dave", "dave", "join"),
  },
  {
    rule: "member.join.otherwise",
    about: "an invite-only room",
    refused: (room) => change(room, "dave", "dave", "join"),
    allowed: (room) => change(room.withMember("dave", "invite"), "dave", "dave", "join"),
  },
  {
    rule: "member.join.otherwise",
    about: "a room without join rules",
    refused: (room) => change(room.without("m.room.join_rules"), "dave", "dave", "join"),
    allowed: (room) => change(room.without("m.room.join_rules"), "carol", "carol", "join"),
  },
  {
    rule: "member.join.otherwise",
    about: "a room that takes knocks",
    versions: (version) => version.knock,
    refused: (room) => change(room.withJoinRule("knock").withMember("dave", "knock"), "dave", "dave", "join"),
    allowed: (room) =>
      change(room.withJoinRule("knock").withMember("dave", "invite"), "dave", "dave", "join"),
  },
  ...["knock", "restricted", "knock_restricted", "private"].map(
    (joinRule): RuleCase => ({
      rule: "member.join.otherwise",
      about: `${joinRule}, which the version does not know, lets nobody in`,
      versions: (version) =>
        !(joinRule === "knock" && version.knock) &&
        !(joinRule === "restricted" && version.restrictedJoin) &&
        !(joinRule === "knock_restricted" && version.knockRestricted),
      refused: (room) =>
        change(room.withJoinRule(joinRule).withMember("dave", "invite"), "dave", "dave", "join"),
      allowed: (room) => change(room.withJoinRule("public"), "dave", "dave", "join"),
    }),
  ),
  ...["restricted", "knock_restricted"].flatMap((joinRule): RuleCase[] => {
    const versions: RuleCase["versions"] = (version) =>
      joinRule === "restricted" ? version.restrictedJoin : version.knockRestricted;
    const join = (room: TestRoom, authoriser: JsonObject) =>
      change(room.withJoinRule(joinRule), "dave", "dave", "join", authoriser);
    const rule = "member.join.restricted.authoriser";
    return [
      {
        rule,
        about: `${joinRule}: nobody vouches`,
        versions,
        refused: (room) => join(room, {}),
        allowed: (room) => join(room, withAuthoriser("moderator")),
      },
      {
        rule,
        about: `${joinRule}: the invited need nobody`,
        versions,
        refused: (room) => join(room.withMember("dave", "knock"), {}),
        allowed: (room) => join(room.withMember("dave", "invite"), {}),
      },
      {
        rule,
        about: `${joinRule}: someone vouches who may not invite`,
        versions,
        refused: (room) => join(room, withAuthoriser("carol")),
        allowed: (room) => join(room.withPowerLevels({ invite: 0 }), withAuthoriser("carol")),
      },
      {
        rule,
        about: `${joinRule}: someone vouches who is not in the room`,
        versions,
        refused: (room) => join(room.withMember("moderator", "leave"), withAuthoriser("moderator")),
        allowed: (room) => join(room, withAuthoriser("alice")),
      },
    ];
  }),
];

const leaveCases: readonly RuleCase[] = [
  ...["join", "invite"].map(
    (membership): RuleCase => ({
      rule: "member.leave.own",
      about: `after ${membership}`,
      refused: (room) => change(room, "dave", "dave", "leave"),
      allowed: (room) => change(room.withMember("dave", membership), "dave", "dave", "leave"),
    }),
  ),
  {
    rule: "member.leave.own",
    about: "after knock",
    versions: (version) => version.knock,
    refused: (room) => change(room.withMember("dave", "ban"), "dave", "dave", "leave"),
    allowed: (room) => change(room.withMember("dave", "knock"), "dave", "dave", "leave"),
  },
  {
    rule: "member.leave.own",
    about: "after a knock that the version does not know",
    versions: (version) => !version.knock,
    refused: (room) => change(room.withMember("dave", "knock"), "dave", "dave", "leave"),
    allowed: (room) => change(room.withMember("dave", "join"), "dave", "dave", "leave"),
  },
  {
    rule: "member.leave.sender",
    refused: (room) => change(room.withMember("admin", "leave"), "admin", "carol", "leave"),
    allowed: (room) => change(room, "admin", "carol", "leave"),
  },
  {
    rule: "member.leave.unban",
    refused: (room) =>
      change(
        room
          .withPowerLevels({ kick: 0, ban: 1, users: { [user("carol")]: 0 }, users_default: -1 })
          .withMember("dave", "ban"),
        "carol",
        "dave",
        "leave",
      ),
    allowed: (room) => change(room.withMember("dave", "ban"), "moderator", "dave", "leave"),
  },
  {
    rule: "member.leave.otherwise",
    about: "below the kick level",
    refused: (room) =>
      change(
        room.withPowerLevels({ users_default: 0, users: { [user("carol")]: 49 } }),
        "carol",
        "dave",
        "leave",
      ),
    allowed: (room) =>
      change(
        room.withPowerLevels({ users_default: 0, users: { [user("carol")]: 50 } }),
        "carol",
        "dave",
        "leave",
      ),
  },
  {
    rule: "member.leave.otherwise",
    about: "of an equal",
    refused: (room) => change(room.withPowerLevels({ users_default: 50 }), "carol", "moderator", "leave"),
    allowed: (room) => change(room, "admin", "moderator", "leave"),
  },
];

const banCases: readonly RuleCase[] = [
  {
    rule: "member.ban.sender",
    refused: (room) => change(room.withMember("admin", "invite"), "admin", "carol", "ban"),
    allowed: (room) => change(room, "admin", "carol", "ban"),
  },
  {
    rule: "member.ban.otherwise",
    about: "below the ban level",
    refused: (room) =>
      change(
        room.withPowerLevels({ ban: 51, users: { [user("moderator")]: 50 } }),
        "moderator",
        "dave",
        "ban",
      ),
    allowed: (room) => change(room, "moderator", "dave", "ban"),
  },
  {
    rule: "member.ban.otherwise",
    about: "of oneself",
    refused: (room) => change(room, "moderator", "moderator", "ban"),
    allowed: (room) => change(room, "moderator", "carol", "ban"),
  },
  {
    rule: "member.ban.otherwise",
    about: "of a creator, whom nobody is above",
    versions: (version) => version.privilegedCreators,
    refused: (room) => change(room, "admin", "alice", "ban"),
    allowed: (room) => change(room, "alice", "admin", "ban"),
  },
];

const knockCases: readonly RuleCase[] = [
  {
    rule: "member.knock.join_rule",
    refused: (room) => change(room, "dave", "dave", "knock"),
    allowed: (room) => change(room.withJoinRule("knock"), "dave", "dave", "knock"),
  },
  {
    rule: "member.knock.join_rule",
    about: "knock_restricted, which the version does not know",
    versions: (version) => !version.knockRestricted,
    refused: (room) => change(room.withJoinRule("knock_restricted"), "dave", "dave", "knock"),
    allowed: (room) => change(room.withJoinRule("knock"), "dave", "dave", "knock"),
  },
  {
    rule: "member.knock.join_rule",
    about: "knock_restricted",
    versions: (version) => version.knockRestricted,
    refused: (room) => change(room.withJoinRule("restricted"), "dave", "dave", "knock"),
    allowed: (room) => change(room.withJoinRule("knock_restricted"), "dave", "dave", "knock"),
  },
  {
    rule: "member.knock.sender",
    refused: (room) => change(room.withJoinRule("knock"), "carol", "dave", "knock"),
    allowed: (room) => change(room.withJoinRule("knock"), "dave", "dave", "knock"),
  },
  ...["ban", "invite", "join"].map(
    (membership): RuleCase => ({
      rule: "member.knock.otherwise",
      about: `after ${membership}`,
      refused: (room) =>
        change(room.withJoinRule("knock").withMember("dave", membership), "dave", "dave", "knock"),
      allowed: (room) =>
        change(room.withJoinRule("knock").withMember("dave", "knock"), "dave", "dave", "knock"),
    }),
  ),
];

/** Rule 5 but for invites. */
export const memberCases: readonly RuleCase[] = [
  {
    rule: "member.form",
    about: "no state key",
    refused: (room) =>
      room.judge({ type: "m.room.member", sender: "carol", content: { membership: "join" } }),
    allowed: (room) => change(room, "carol", "carol", "join"),
  },
  {
    rule: "member.form",
    about: "no membership",
    refused: (room) => room.judge({ type: "m.room.member", sender: "carol", key: user("carol") }),
    allowed: (room) => change(room, "carol", "carol", "join"),
  },
  ...joinCases,
  ...leaveCases,
  ...banCases,
  ...knockCases,
  {
    rule: "member.unknown",
    refused: (room) => change(room, "carol", "carol", "constructor"),
    allowed: (room) => change(room, "carol", "carol", "leave"),
  },
  {
    rule: "member.unknown",
    about: "a membership that is no string",
    refused: (room) => room.judge({ ...member("carol", "carol", ""), content: { membership: ["join"] } }),
    allowed: (room) => change(room, "carol", "carol", "leave"),
  },
  {
    rule: "member.unknown",
    about: "knocks",
    versions: (version) => !version.knock,
    refused: (room) => change(room.withJoinRule("knock"), "dave", "dave", "knock"),
    allowed: (room) => change(room.withJoinRule("public"), "dave", "dave", "join"),
  },
];
