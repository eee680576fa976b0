import type { RuleCase } from "./rule-cases.ts";
import { type TestRoom, testRoom } from "./test-room.ts";

const topic = { type: "m.room.topic", key: "", content: { topic: "Tea" } };
const message = { type: "m.room.message", content: { body: "Tea?" } };
const equals = { "@moderator:example.org": 50, "@moderator2:example.org": 50 };
const thirdPartyInvite = { type: "m.room.third_party_invite", key: "token", content: {} };

function withVisitor(room: TestRoom): TestRoom {
  return room.withMember("@eve:elsewhere.org", "join");
}

/** The rules outside members, power levels and creation. */
export const generalCases: readonly RuleCase[] = [
  {
    rule: "room_id",
    about: "no create event in the state",
    refused: (room) => room.without("m.room.create").judge({ ...message, sender: "alice" }),
    allowed: (room) => room.judge({ ...message, sender: "alice" }),
  },
  {
    rule: "auth_events.create",
    about: "no create event in the state",
    refused: (room) => room.without("m.room.create").judge({ ...message, sender: "alice" }),
    allowed: (room) => room.judge({ ...message, sender: "alice" }),
  },
  {
    rule: "federate",
    refused: (_, version) =>
      withVisitor(testRoom(version, { "m.federate": false })).judge({
        ...message,
        sender: "@eve:elsewhere.org",
      }),
    allowed: (_, version) =>
      testRoom(version, { "m.federate": false }).judge({ ...message, sender: "carol" }),
  },
  {
    rule: "federate",
    about: "only false closes the room",
    refused: (_, version) =>
      testRoom(version, { "m.federate": false })
        .withJoinRule("public")
        .judge({
          type: "m.room.member",
          sender: "@eve:elsewhere.org",
          key: "@eve:elsewhere.org",
          content: { membership: "join" },
        }),
    allowed: (_, version) =>
      withVisitor(testRoom(version, { "m.federate": true })).judge({
        ...message,
        sender: "@eve:elsewhere.org",
      }),
  },
  {
    rule: "aliases.state_key",
    refused: (room) => room.judge({ type: "m.room.aliases", sender: "carol" }),
    allowed: (room) => room.judge({ type: "m.room.aliases", sender: "carol", key: "example.org" }),
  },
  {
    rule: "aliases.server",
    refused: (room) => room.judge({ type: "m.room.aliases", sender: "carol", key: "elsewhere.org" }),
    // Not even a member: the rule on aliases comes before the one on membership.
    allowed: (room) => room.judge({ type: "m.room.aliases", sender: "dave", key: "example.org" }),
  },
  {
    rule: "event_level",
    about: "aliases are ordinary state",
    versions: (version) => !version.specialAliases,
    refused: (room) => room.judge({ type: "m.room.aliases", sender: "carol", key: "example.org" }),
    allowed: (room) => room.judge({ type: "m.room.aliases", sender: "moderator", key: "elsewhere.org" }),
  },
  {
    rule: "sender",
    refused: (room) => room.judge({ ...message, sender: "dave" }),
    allowed: (room) => room.judge({ ...message, sender: "carol" }),
  },
  {
    rule: "sender",
    about: "an invite is not enough",
    refused: (room) => room.withMember("dave", "invite").judge({ ...message, sender: "dave" }),
    allowed: (room) => room.withMember("dave", "join").judge({ ...message, sender: "dave" }),
  },
  {
    rule: "third_party_invite.level",
    refused: (room) => room.judge({ ...thirdPartyInvite, sender: "carol" }),
    // The level of state events, which is 50, does not count: the invite level does.
    allowed: (room) => room.withPowerLevels({ invite: 0 }).judge({ ...thirdPartyInvite, sender: "carol" }),
  },
  {
    rule: "event_level",
    about: "the default of state events",
    refused: (room) => room.judge({ ...topic, sender: "carol" }),
    allowed: (room) => room.judge({ ...topic, sender: "moderator" }),
  },
  {
    rule: "event_level",
    about: "the default of messages",
    refused: (room) => room.withPowerLevels({ events_default: 1 }).judge({ ...message, sender: "carol" }),
    allowed: (room) => room.withPowerLevels({ events_default: 0 }).judge({ ...message, sender: "carol" }),
  },
  {
    rule: "event_level",
    about: "a level of its own",
    refused: (room) =>
      room.withPowerLevels({ events: { "m.room.topic": 1 } }).judge({ ...topic, sender: "carol" }),
    allowed: (room) =>
      room.withPowerLevels({ events: { "m.room.topic": 0 } }).judge({ ...topic, sender: "carol" }),
  },
  {
    rule: "event_level",
    about: "a room without power levels",
    refused: (room) => room.without("m.room.power_levels").judge({ ...topic, sender: "carol" }),
    allowed: (room) => room.without("m.room.power_levels").judge({ ...topic, sender: "alice" }),
  },
  {
    rule: "event_level",
    about: "types that every object has as a property",
    refused: (room) => room.judge({ type: "constructor", sender: "carol", key: "" }),
    allowed: (room) => room.judge({ type: "__proto__", sender: "moderator", key: "" }),
  },
  {
    rule: "state_key",
    versions: (version) => !version.ownedState,
    refused: (room) =>
      room.judge({ type: "org.example.status", sender: "moderator", key: "@carol:example.org" }),
    allowed: (room) =>
      room.judge({ type: "org.example.status", sender: "moderator", key: "@moderator:example.org" }),
  },
  ...[
    { about: "of one with as much power", wrong: "@moderator2:example.org", right: "@moderator:example.org" },
    { about: "of one with more power", wrong: "@alice:example.org_a", right: "@carol:example.org" },
    { about: "of no user", wrong: "@moderator", right: "moderator" },
    { about: "of no server", wrong: "@moderator:example.org@_x", right: "@moderator:example.org_@:_" },
    {
      about: "with a long suffix",
      wrong: `@moderator:example.org_${"x".repeat(256)}`,
      right: `@moderator:example.org_${"x".repeat(255)}`,
    },
    { about: "long, without an owner", wrong: "x".repeat(256), right: "x".repeat(255) },
  ].map(
    ({ about, wrong, right }): RuleCase => ({
      rule: "state_key",
      about,
      versions: (version) => version.ownedState,
      refused: (room) =>
        room
          .withPowerLevels({ users: { ...equals, "@alice:example.org": 100 } })
          .judge({ type: "org.example.status", sender: "moderator", key: wrong }),
      allowed: (room) => room.judge({ type: "org.example.status", sender: "moderator", key: right }),
    }),
  ),
  {
    rule: "redaction.otherwise",
    about: "the event of another server",
    refused: (room) =>
      room.judge({ type: "m.room.redaction", sender: "carol", redacts: "$message:elsewhere.org" }),
    allowed: (room) =>
      room.judge({ type: "m.room.redaction", sender: "carol", redacts: "$message:example.org" }),
  },
  {
    rule: "redaction.otherwise",
    about: "by level",
    refused: (room) => room.judge({ type: "m.room.redaction", sender: "carol" }),
    allowed: (room) =>
      room.judge({ type: "m.room.redaction", sender: "moderator", redacts: "$message:elsewhere.org" }),
  },
];
