import { isJsonObject, type JsonObject } from "../../json.ts";
import type { RoomVersion } from "../../room-versions.ts";
import type { AuthRejection } from "../rejection.ts";
import type { RuleCase } from "./rule-cases.ts";
import { user } from "./test-event.ts";
import { type TestRoom, testRoom } from "./test-room.ts";

const [mod, peer, admin, carol] = [user("moderator"), user("peer"), user("admin"), user("carol")];
const needed: JsonObject = { events: { "m.room.power_levels": 0 } };

/** Judges what the moderator, who has level 50, makes of some power levels. */
function alter(room: TestRoom, before: JsonObject, after: JsonObject): AuthRejection | undefined {
  const users = { [mod]: 50, [admin]: 100 };
  const whole = (content: JsonObject): JsonObject => {
    const more = isJsonObject(content["users"]) ? content["users"] : {};
    const events = isJsonObject(content["events"]) ? content["events"] : {};
    return {
      ...needed,
      ...content,
      users: { ...users, ...more },
      events: { "m.room.power_levels": 0, ...events },
    };
  };
  return propose(room.withPowerLevels(whole(before)), whole(after));
}

function propose(room: TestRoom, content: JsonObject): AuthRejection | undefined {
  return room.judge({ type: "m.room.power_levels", sender: "moderator", key: "", content });
}

/** Judges the first power levels of a room; the creator sends them. */
function first(room: TestRoom, content: JsonObject): AuthRejection | undefined {
  const draft = { type: "m.room.power_levels", sender: "alice", key: "", content };
  return room.without("m.room.power_levels").judge(draft);
}

const topLevels = ["users_default", "events_default", "state_default", "ban", "redact", "kick", "invite"];
const strict = (version: RoomVersion): boolean => version.integerPowerLevels;
const lenient = (version: RoomVersion): boolean => !version.integerPowerLevels;

const formCases: readonly RuleCase[] = [
  ...topLevels.flatMap((name) =>
    ["50", 50.5, null, {}].map(
      (value): RuleCase => ({
        rule: "power_levels.integers",
        about: `${name}: ${JSON.stringify(value)}`,
        refused: (room) => first(room, { [name]: value }),
        allowed: (room) => first(room, { [name]: -50 }),
      }),
    ),
  ),
  ...["events", "notifications"].flatMap((name) =>
    [[], "no", null, { key: "50" }, { key: 0.5 }, { key: null }].map(
      (value): RuleCase => ({
        rule: "power_levels.maps",
        about: `${name}: ${JSON.stringify(value)}`,
        refused: (room) => first(room, { [name]: value }),
        allowed: (room) => first(room, { [name]: { key: 50, ["__proto__"]: 1 } }),
      }),
    ),
  ),
  ...[
    [],
    "no",
    null,
    { carol: 1 },
    { "@carol": 1 },
    { "@carol:": 1 },
    { [carol]: null },
    { [carol]: true },
  ].map(
    (users): RuleCase => ({
      rule: "power_levels.users",
      about: JSON.stringify(users),
      refused: (room) => first(room, { users }),
      allowed: (room) => first(room, { users: { [carol]: 1, "@:example.org": 2 } }),
    }),
  ),
  ...["50", 50.5, " +050 "].map(
    (level): RuleCase => ({
      rule: "power_levels.users",
      about: `${JSON.stringify(level)} is refused`,
      versions: strict,
      refused: (room) => first(room, { users: { [carol]: level } }),
      allowed: (room) => first(room, { users: { [carol]: 50 } }),
    }),
  ),
  ...["", " ", "+", "5 0", "0x10", "1e2", "50.5", "++5", "٥", "1_000"].map(
    (level): RuleCase => ({
      rule: "power_levels.users",
      about: `${JSON.stringify(level)} is no integer`,
      versions: lenient,
      refused: (room) => first(room, { users: { [carol]: level } }),
      allowed: (room) => first(room, { users: { [carol]: "\t -0050 \n" } }),
    }),
  ),
  {
    rule: "power_levels.creators",
    about: "the sender of the create event",
    refused: (room) => first(room, { users: { [user("alice")]: 100 } }),
    allowed: (room) => first(room, { users: { [carol]: 100 } }),
  },
  {
    rule: "power_levels.creators",
    about: "additional creators",
    refused: (_, version) =>
      first(testRoom(version, { additional_creators: [carol] }), { users: { [carol]: 100 } }),
    allowed: (_, version) =>
      first(testRoom(version, { additional_creators: [carol] }), { users: { [mod]: 100 } }),
  },
];

const reachCases: readonly RuleCase[] = [
  ...topLevels
    .filter((name) => name !== "users_default")
    .flatMap((name): RuleCase[] => [
      {
        rule: "power_levels.levels.current",
        about: `${name} lowered`,
        refused: (room) => alter(room, { [name]: 51 }, { [name]: 0 }),
        allowed: (room) => alter(room, { [name]: 50 }, { [name]: 0 }),
      },
      {
        rule: "power_levels.levels.current",
        about: `${name} removed`,
        refused: (room) => alter(room, { [name]: 51 }, {}),
        allowed: (room) => alter(room, { [name]: 50 }, {}),
      },
      {
        rule: "power_levels.levels.new",
        about: `${name} added`,
        refused: (room) => alter(room, {}, { [name]: 51 }),
        allowed: (room) => alter(room, {}, { [name]: 50 }),
      },
      {
        rule: "power_levels.levels.new",
        about: `${name} raised`,
        refused: (room) => alter(room, { [name]: 0 }, { [name]: 51 }),
        allowed: (room) => alter(room, { [name]: 51 }, { [name]: 51 }),
      },
    ]),
  ...["events", "notifications"].flatMap((name): RuleCase[] => {
    const versions: RuleCase["versions"] = (version) => name === "events" || version.checkNotificationLevels;
    return [
      {
        rule: "power_levels.entries_changed.current",
        about: `${name}: changed`,
        versions,
        refused: (room) => alter(room, { [name]: { room: 51 } }, { [name]: { room: 1 } }),
        allowed: (room) => alter(room, { [name]: { room: 50 } }, { [name]: { room: 1 } }),
      },
      {
        rule: "power_levels.entries_changed.current",
        about: `${name}: removed`,
        versions,
        refused: (room) => alter(room, { [name]: { constructor: 51 } }, {}),
        allowed: (room) => alter(room, { [name]: { constructor: 50 } }, {}),
      },
      {
        rule: "power_levels.entries_added.new",
        about: `${name}: added`,
        versions,
        refused: (room) => alter(room, {}, { [name]: { room: 51 } }),
        allowed: (room) => alter(room, {}, { [name]: { room: 50 } }),
      },
    ];
  }),
  {
    rule: "power_levels.entries_added.new",
    about: "notifications are not looked at",
    versions: (version) => !version.checkNotificationLevels,
    refused: (room) => alter(room, {}, { events: { room: 51 } }),
    allowed: (room) => alter(room, { notifications: { room: 60 } }, { notifications: { room: 51 } }),
  },
  {
    rule: "power_levels.users_changed.current",
    about: "an equal",
    refused: (room) => alter(room, { users: { [peer]: 50 } }, { users: { [peer]: 0 } }),
    allowed: (room) => alter(room, { users: { [peer]: 49 } }, { users: { [peer]: 0 } }),
  },
  {
    rule: "power_levels.users_changed.current",
    about: "an equal, removed",
    refused: (room) => alter(room, { users: { [peer]: 50 } }, {}),
    allowed: (room) => alter(room, { users: { [peer]: 49 } }, {}),
  },
  {
    rule: "power_levels.users_changed.current",
    about: "somebody above; but oneself may step down",
    refused: (room) => alter(room, { users: { [peer]: 51 } }, { users: { [peer]: 50 } }),
    allowed: (room) => alter(room, {}, { users: { [mod]: 0 } }),
  },
  {
    rule: "power_levels.users_added.new",
    refused: (room) => alter(room, {}, { users: { [peer]: 51 } }),
    allowed: (room) => alter(room, {}, { users: { [peer]: 50 } }),
  },
  {
    rule: "power_levels.users_added.new",
    about: "oneself",
    refused: (room) => alter(room, {}, { users: { [mod]: 51 } }),
    allowed: (room) => alter(room, {}, { users: { [mod]: 50 } }),
  },
  {
    rule: "power_levels.users_added.new",
    about: "creators may give any level",
    versions: (version) => version.privilegedCreators,
    refused: (room) => propose(room, { users: { [mod]: 50, [admin]: 100, [peer]: 9000 } }),
    allowed: (room) =>
      room.judge({
        type: "m.room.power_levels",
        sender: "alice",
        key: "",
        content: { users: { [peer]: Number.MAX_SAFE_INTEGER } },
      }),
  },
];

const lenientCases: readonly RuleCase[] = [
  {
    rule: "power_levels.levels.new",
    about: "strings are compared as numbers",
    versions: lenient,
    refused: (room) => alter(room, { ban: "50" }, { ban: " 0051 " }),
    allowed: (room) => alter(room, { ban: "60" }, { ban: 60 }),
  },
  {
    rule: "power_levels.levels.new",
    about: "floats are cut off",
    versions: lenient,
    refused: (room) => alter(room, {}, { ban: 51.1 }),
    allowed: (room) => alter(room, {}, { ban: 50.9 }),
  },
  {
    rule: "power_levels.levels.new",
    about: "what is no level cannot be put in but may stay",
    versions: lenient,
    refused: (room) => alter(room, {}, { ban: "many" }),
    allowed: (room) => alter(room, { ban: "many" }, { ban: null }),
  },
  {
    rule: "power_levels.entries_added.new",
    about: "events that are no object are no events",
    versions: lenient,
    refused: (room) => alter(room, {}, { events: { topic: [] } }),
    allowed: (room) =>
      propose(room.withPowerLevels({ state_default: 0, users: { [mod]: 50 } }), {
        events: "none",
        state_default: 0,
        users: { [mod]: 50 },
      }),
  },
];

/** Rule 10: power levels. */
export const powerLevelCases: readonly RuleCase[] = [...formCases, ...reachCases, ...lenientCases];
