import t from "tap";
import type { Test } from "tap";
import type { JsonObject } from "../json.ts";
import type { PushOutcome } from "./actions.ts";
import { PushRuleCompiler } from "./compile.ts";
import { defaultPushRules } from "./default-rules.ts";
import type { DefaultRuleOptions } from "./default-rules.ts";
import type { PushEvent, RoomForPush } from "./event.ts";
import { alice, eventForPush } from "./testing/events.ts";

interface Case {
  readonly name: string;
  readonly event: Partial<PushEvent>;
  readonly room?: Partial<RoomForPush>;
  /** The rule that decides; `undefined` when none matches. */
  readonly rule: string | undefined;
  readonly notify?: boolean;
  readonly highlight?: boolean;
  readonly sound?: string;
}

function summaryOf(outcome: PushOutcome | undefined): object {
  const { ruleId, notify = false, highlight = false, tweaks } = outcome ?? {};
  return { rule: ruleId, notify, highlight, sound: tweaks?.["sound"] ?? "" };
}

function check(t: Test, options: DefaultRuleOptions, cases: readonly Case[]): void {
  const { untouched } = new PushRuleCompiler(defaultPushRules(options));
  for (const { name, event, room, rule, notify = false, highlight = false, sound = "" } of cases) {
    const outcome = untouched.evaluate(eventForPush(event, room), alice);
    t.same(summaryOf(outcome), { rule, notify, highlight, sound }, name);
  }
}

function message(content: JsonObject): Partial<PushEvent> {
  return { content: { msgtype: "m.text", body: "hello", ...content } };
}

function member(stateKey: string, membership: string): Partial<PushEvent> {
  return { type: "m.room.member", stateKey, content: { membership } };
}

const mentionsAlice = { "m.mentions": { user_ids: ["@carol:example.org", alice.userId] } };
const mentionsRoom = { "m.mentions": { room: true } };
const edit = { "m.relates_to": { rel_type: "m.replace", event_id: "$old" } };
const reaction = { "m.relates_to": { rel_type: "m.annotation", event_id: "$old", key: "👍" } };
const encrypted = {
  type: "m.room.encrypted",
  content: { algorithm: "m.megolm.v1.aes-sha2", ciphertext: "…" },
};

t.test("rules of the specification", async (t) => {
  check(t, {}, [
    { name: "a message", event: message({}), rule: ".m.rule.message", notify: true },
    {
      name: "a message in a room of two",
      event: message({}),
      room: { memberCount: 2 },
      rule: ".m.rule.room_one_to_one",
      notify: true,
      sound: "default",
    },
    { name: "a notice", event: message({ msgtype: "m.notice" }), rule: ".m.rule.suppress_notices" },
    {
      name: "a notice that mentions the user",
      event: message({ msgtype: "m.notice", ...mentionsAlice }),
      rule: ".m.rule.suppress_notices",
    },
    {
      name: "an invite for the user",
      event: member(alice.userId, "invite"),
      rule: ".m.rule.invite_for_me",
      notify: true,
      sound: "default",
    },
    {
      name: "an invite for another",
      event: member("@carol:example.org", "invite"),
      rule: ".m.rule.member_event",
    },
    { name: "a ban of the user", event: member(alice.userId, "ban"), rule: ".m.rule.member_event" },
    {
      name: "a mention of the user",
      event: message(mentionsAlice),
      rule: ".m.rule.is_user_mention",
      notify: true,
      highlight: true,
      sound: "default",
    },
    {
      name: "a mention in an event of any type",
      event: { type: "org.example.any", content: mentionsAlice },
      rule: ".m.rule.is_user_mention",
      notify: true,
      highlight: true,
      sound: "default",
    },
    {
      name: "a mention of another",
      event: message({ "m.mentions": { user_ids: ["@carol:example.org"] } }),
      rule: ".m.rule.message",
      notify: true,
    },
    {
      name: "mentions that are not a list",
      event: message({ "m.mentions": { user_ids: alice.userId } }),
      rule: ".m.rule.message",
      notify: true,
    },
    {
      name: "a mention of the room by who may",
      event: message(mentionsRoom),
      room: { senderPowerLevel: 50 },
      rule: ".m.rule.is_room_mention",
      notify: true,
      highlight: true,
    },
    {
      name: "a mention of the room by who may not",
      event: message(mentionsRoom),
      room: { senderPowerLevel: 49 },
      rule: ".m.rule.message",
      notify: true,
    },
    {
      name: "a mention of the room where the level is lower",
      event: message(mentionsRoom),
      room: { senderPowerLevel: 10, notificationLevels: new Map([["room", 10]]) },
      rule: ".m.rule.is_room_mention",
      notify: true,
      highlight: true,
    },
    {
      name: "a mention of the room that is not a boolean",
      event: message({ "m.mentions": { room: "true" } }),
      room: { senderPowerLevel: 100 },
      rule: ".m.rule.message",
      notify: true,
    },
    {
      name: "an upgrade of the room",
      event: { type: "m.room.tombstone", stateKey: "", content: { replacement_room: "!new" } },
      rule: ".m.rule.tombstone",
      notify: true,
      highlight: true,
    },
    {
      name: "a tombstone that is no state",
      event: { type: "m.room.tombstone", content: {} },
      rule: undefined,
    },
    { name: "a reaction", event: { type: "m.reaction", content: reaction }, rule: ".m.rule.reaction" },
    {
      name: "a server ACL",
      event: { type: "m.room.server_acl", stateKey: "", content: { allow: ["*"] } },
      rule: ".m.rule.room.server_acl",
    },
    {
      name: "a server ACL with a state key",
      event: { type: "m.room.server_acl", stateKey: "x", content: {} },
      rule: undefined,
    },
    { name: "an edit", event: message(edit), rule: ".m.rule.suppress_edits" },
    {
      name: "an edit that mentions the user",
      event: message({ ...edit, ...mentionsAlice }),
      rule: ".m.rule.is_user_mention",
      notify: true,
      highlight: true,
      sound: "default",
    },
    {
      name: "a reply in a thread",
      event: message({ "m.relates_to": { rel_type: "m.thread", event_id: "$root" } }),
      rule: ".m.rule.message",
      notify: true,
    },
    {
      name: "a call",
      event: { type: "m.call.invite", content: { call_id: "1" } },
      rule: ".m.rule.call",
      notify: true,
      sound: "ring",
    },
    { name: "an answer to a call", event: { type: "m.call.answer", content: {} }, rule: undefined },
    { name: "an encrypted event", event: encrypted, rule: ".m.rule.encrypted", notify: true },
    {
      name: "an encrypted event in a room of two",
      event: encrypted,
      room: { memberCount: 2 },
      rule: ".m.rule.encrypted_room_one_to_one",
      notify: true,
      sound: "default",
    },
    {
      name: "a change of topic",
      event: { type: "m.room.topic", stateKey: "", content: {} },
      rule: undefined,
    },
    { name: "a poll", event: { type: "org.matrix.msc3381.poll.start", content: {} }, rule: undefined },
    {
      name: "the user's name in the text",
      event: message({ body: "hello alice" }),
      rule: ".m.rule.message",
      notify: true,
    },
    {
      name: "the user's own message",
      event: { ...message(mentionsAlice), sender: alice.userId },
      rule: undefined,
    },
  ]);
});

t.test("rules on polls", async (t) => {
  const poll = (part: string) => ({ type: `org.matrix.msc3381.poll.${part}`, content: {} });
  const prefix = ".org.matrix.msc3930.rule";
  const two = { memberCount: 2 };
  check(t, { polls: true }, [
    { name: "start", event: poll("start"), rule: `${prefix}.poll_start`, notify: true },
    {
      name: "start in a room of two",
      event: poll("start"),
      room: two,
      rule: `${prefix}.poll_start_one_to_one`,
      notify: true,
      sound: "default",
    },
    { name: "response", event: poll("response"), rule: `${prefix}.poll_response` },
    { name: "end", event: poll("end"), rule: `${prefix}.poll_end`, notify: true },
    {
      name: "end in a room of two",
      event: poll("end"),
      room: two,
      rule: `${prefix}.poll_end_one_to_one`,
      notify: true,
      sound: "default",
    },
    { name: "a message all the same", event: message({}), rule: ".m.rule.message", notify: true },
  ]);
});

t.test("invitations to calls ring for those whom they mention, and nobody else", async (t) => {
  const prefix = ".org.matrix.msc4075.rule.rtc";
  const invite = (mentions: JsonObject) => ({
    type: "org.matrix.msc4075.rtc.invite",
    content: { slot_id: "m.call#room", "m.mentions": mentions },
  });
  check(t, { rtcInvites: true }, [
    {
      name: "for one",
      event: invite({ user_ids: [alice.userId] }),
      rule: `${prefix}.invite_for_me`,
      notify: true,
      sound: "ring",
    },
    {
      name: "for the room",
      event: invite({ room: true }),
      room: { senderPowerLevel: 50 },
      rule: `${prefix}.invite_for_room`,
      notify: true,
      sound: "ring",
    },
    { name: "for the room, of one who may not", event: invite({ room: true }), rule: undefined },
    { name: "for somebody else", event: invite({ user_ids: ["@carol:example.org"] }), rule: undefined },
    {
      name: "a message that mentions all the same",
      event: message({ "m.mentions": { user_ids: [alice.userId] } }),
      rule: ".m.rule.is_user_mention",
      notify: true,
      highlight: true,
      sound: "default",
    },
  ]);
});

t.test("rules on names in the text", async (t) => {
  const loud = { notify: true, highlight: true, sound: "default" };
  const may = { senderPowerLevel: 50 };
  check(t, { legacyMentions: true }, [
    {
      name: "display name",
      event: message({ body: "ask alice margatroid." }),
      rule: ".m.rule.contains_display_name",
      ...loud,
    },
    {
      name: "localpart",
      event: message({ body: "Ask ALICE, please" }),
      rule: ".m.rule.contains_user_name",
      ...loud,
    },
    { name: "longer word", event: message({ body: "malice" }), rule: ".m.rule.message", notify: true },
    {
      name: "@room by who may",
      event: message({ body: "@room: lunch" }),
      room: may,
      rule: ".m.rule.roomnotif",
      notify: true,
      highlight: true,
    },
    {
      name: "@room by who may not",
      event: message({ body: "@room" }),
      rule: ".m.rule.message",
      notify: true,
    },
    {
      name: "a sender who states mentions",
      event: message({ body: "alice @room", "m.mentions": {} }),
      room: may,
      rule: ".m.rule.message",
      notify: true,
    },
  ]);
});

t.test("a user without a display name is not named by every message", async (t) => {
  const { untouched } = new PushRuleCompiler(defaultPushRules({ legacyMentions: true }));
  for (const displayName of [undefined, ""]) {
    const outcome = untouched.evaluate(eventForPush(message({})), { userId: alice.userId, displayName });
    t.equal(outcome?.ruleId, ".m.rule.message");
  }
});

t.test("IDs are unique and start with a dot", async (t) => {
  const ids = defaultPushRules({
    polls: true,
    legacyMentions: true,
    threadSubscriptions: true,
    rtcInvites: true,
  }).map(({ ruleId }) => ruleId);
  t.equal(new Set(ids).size, ids.length);
  t.ok(ids.every((id) => id.startsWith(".")));
});
