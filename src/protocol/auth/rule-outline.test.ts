import t from "tap";
import { type AuthRule, ruleNumber } from "./rule-outline.ts";
import { versionNamed } from "./testing/test-event.ts";

/** Read off the pages of the room versions. The columns are the versions whose rules differ. */
const versions = ["1", "3", "6", "7", "8", "10", "11", "12"];
const numbers: readonly (readonly [AuthRule, string])[] = [
  ["create.room_id", "1.2 1.2 1.2 1.2 1.2 1.2 1.2 1.2"],
  ["create.creator", "1.4 1.4 1.4 1.4 1.4 1.4 - -"],
  ["create.additional_creators", "- - - - - - - 1.4"],
  ["create.allow", "1.5 1.5 1.5 1.5 1.5 1.5 1.4 1.5"],
  ["room_id", "- - - - - - - 2"],
  ["auth_events.unselected", "2.2 2.2 2.2 2.2 2.2 2.2 2.2 3.2"],
  ["auth_events.create", "2.4 2.4 2.4 2.4 2.4 2.4 2.4 -"],
  ["federate", "3 3 3 3 3 3 3 4"],
  ["aliases.server", "4.2 4.2 - - - - - -"],
  ["member.form", "5.1 5.1 4.1 4.1 4.1 4.1 4.1 5.1"],
  ["member.authoriser.signature", "- - - - 4.2.1 4.2.1 4.2.1 5.2.1"],
  ["member.join.banned", "5.2.3 5.2.3 4.2.3 4.2.3 4.3.3 4.3.3 4.3.3 5.3.3"],
  ["member.join.restricted.authoriser", "- - - - 4.3.5.2 4.3.5.2 4.3.5.2 5.3.5.2"],
  ["member.join.otherwise", "5.2.6 5.2.6 4.2.6 4.2.6 4.3.7 4.3.7 4.3.7 5.3.7"],
  ["member.invite.third_party.mxid", "5.3.1.4 5.3.1.4 4.3.1.4 4.3.1.4 4.4.1.4 4.4.1.4 4.4.1.4 5.4.1.4"],
  ["member.leave.unban", "5.4.3 5.4.3 4.4.3 4.4.3 4.5.3 4.5.3 4.5.3 5.5.3"],
  ["member.ban.otherwise", "5.5.3 5.5.3 4.5.3 4.5.3 4.6.3 4.6.3 4.6.3 5.6.3"],
  ["member.knock.join_rule", "- - - 4.6.1 4.7.1 4.7.1 4.7.1 5.7.1"],
  ["member.unknown", "5.6 5.6 4.6 4.7 4.8 4.8 4.8 5.8"],
  ["sender", "6 6 5 5 5 5 5 6"],
  ["third_party_invite.level", "7.1 7.1 6.1 6.1 6.1 6.1 6.1 7.1"],
  ["event_level", "8 8 7 7 7 7 7 8"],
  ["state_key", "9 9 8 8 8 8 8 9"],
  ["power_levels.integers", "- - - - - 9.1 9.1 10.1"],
  ["power_levels.users", "10.1 10.1 9.1 9.1 9.1 9.3 9.3 10.3"],
  ["power_levels.creators", "- - - - - - - 10.4"],
  ["power_levels.levels.new", "10.3.2 10.3.2 9.3.2 9.3.2 9.3.2 9.5.2 9.5.2 10.6.2"],
  ["power_levels.users_added.new", "10.7.1 10.7.1 9.7.1 9.7.1 9.7.1 9.9.1 9.9.1 10.10.1"],
  ["redaction.otherwise", "11.3 - - - - - - -"],
  ["allow", "12 11 10 10 10 10 10 11"],
];

t.test("a rule has the number that its room version gives it", async (t) => {
  for (const [rule, expected] of numbers) {
    const found = versions.map((id) => ruleNumber(versionNamed(id), rule) ?? "-");
    t.equal(found.join(" "), expected, rule);
  }
});

t.test("versions that changed no rule number them alike", async (t) => {
  for (const [rule] of numbers) {
    for (const [older, newer] of [
      ["1", "2"],
      ["3", "5"],
      ["8", "9"],
    ] as const) {
      t.equal(
        ruleNumber(versionNamed(older), rule),
        ruleNumber(versionNamed(newer), rule),
        `${rule} in ${newer}`,
      );
    }
  }
});
