import type { OwnIdCondition } from "./conditions.ts";
import type { PushAction, PushCondition, RuleKind } from "./rules.ts";

/** Rules beyond those of the specification, each left out unless asked for. */
export interface DefaultRuleOptions {
  /** Notify about polls as about messages: MSC3930, under its unstable names. */
  readonly polls?: boolean;
  /**
   * Take the user's name, or `@room`, in the text of a message for a mention when the sender's client does not state
   * mentions (`m.mentions`). The specification had these rules until v1.16.
   */
  readonly legacyMentions?: boolean;
  /** Ring for invitations to calls (MatrixRTC): MSC4075, under its unstable names. */
  readonly rtcInvites?: boolean;
  /** Notify about replies in threads that the user follows, and not about others: MSC4306. */
  readonly threadSubscriptions?: boolean;
}

/** A server-default rule, the same for all users until they change it. */
export interface DefaultPushRule {
  readonly kind: RuleKind;
  readonly ruleId: string;
  readonly enabled: boolean;
  readonly conditions: readonly PushCondition[];
  /** One more condition, after the others. It is all that a content rule has, which clients see as its `pattern`. */
  readonly ownIdCondition?: OwnIdCondition;
  readonly actions: readonly PushAction[];
  /** The option that brings the rule in. */
  readonly option?: keyof DefaultRuleOptions;
}

/** The one rule that comes before every other, the user's own included. */
export const masterRuleId = ".m.rule.master";

/**
 * The server-default rules, the most important of each kind first.
 * Specification: "Predefined Rules" (v1.19).
 */
export function defaultPushRules(options: DefaultRuleOptions = {}): readonly DefaultPushRule[] {
  return knownRules.filter(({ option }) => option === undefined || options[option] === true);
}

const sound: PushAction = { set_tweak: "sound", value: "default" };
const ring: PushAction = { set_tweak: "sound", value: "ring" };
const highlight: PushAction = { set_tweak: "highlight" };

const isOneToOne: PushCondition = { kind: "room_member_count", is: "2" };
const hasEmptyStateKey = matches("state_key", "");
const mayNotifyRoom: PushCondition = { kind: "sender_notification_permission", key: "room" };

function matches(key: string, pattern: string): PushCondition {
  return { kind: "event_match", key, pattern };
}

function is(key: string, value: string | boolean): PushCondition {
  return { kind: "event_property_is", key, value };
}

const knownRules: readonly DefaultPushRule[] = [
  { kind: "override", ruleId: masterRuleId, enabled: false, conditions: [], actions: [] },
  {
    kind: "override",
    ruleId: ".m.rule.suppress_notices",
    enabled: true,
    conditions: [matches("content.msgtype", "m.notice")],
    actions: [],
  },
  {
    kind: "override",
    ruleId: ".m.rule.invite_for_me",
    enabled: true,
    conditions: [matches("type", "m.room.member"), matches("content.membership", "invite")],
    ownIdCondition: { kind: "event_match", key: "state_key", own: "user ID" },
    actions: ["notify", sound],
  },
  {
    kind: "override",
    ruleId: ".m.rule.member_event",
    enabled: true,
    conditions: [matches("type", "m.room.member")],
    actions: [],
  },
  {
    kind: "override",
    ruleId: ".org.matrix.msc4075.rule.rtc.invite_for_me",
    enabled: true,
    conditions: [matches("type", "org.matrix.msc4075.rtc.invite")],
    ownIdCondition: { kind: "event_property_contains", key: "content.m\\.mentions.user_ids", own: "user ID" },
    actions: ["notify", ring],
    option: "rtcInvites",
  },
  {
    kind: "override",
    ruleId: ".m.rule.is_user_mention",
    enabled: true,
    conditions: [],
    ownIdCondition: { kind: "event_property_contains", key: "content.m\\.mentions.user_ids", own: "user ID" },
    actions: ["notify", sound, highlight],
  },
  {
    kind: "override",
    ruleId: ".m.rule.contains_display_name",
    enabled: true,
    conditions: [{ kind: "contains_display_name" }],
    actions: ["notify", sound, highlight],
    option: "legacyMentions",
  },
  {
    kind: "override",
    ruleId: ".org.matrix.msc4075.rule.rtc.invite_for_room",
    enabled: true,
    conditions: [
      matches("type", "org.matrix.msc4075.rtc.invite"),
      is("content.m\\.mentions.room", true),
      mayNotifyRoom,
    ],
    actions: ["notify", ring],
    option: "rtcInvites",
  },
  {
    kind: "override",
    ruleId: ".m.rule.is_room_mention",
    enabled: true,
    conditions: [is("content.m\\.mentions.room", true), mayNotifyRoom],
    actions: ["notify", highlight],
  },
  {
    kind: "override",
    ruleId: ".m.rule.roomnotif",
    enabled: true,
    conditions: [matches("content.body", "@room"), mayNotifyRoom],
    actions: ["notify", highlight],
    option: "legacyMentions",
  },
  {
    kind: "override",
    ruleId: ".m.rule.tombstone",
    enabled: true,
    conditions: [matches("type", "m.room.tombstone"), hasEmptyStateKey],
    actions: ["notify", highlight],
  },
  {
    kind: "override",
    ruleId: ".m.rule.reaction",
    enabled: true,
    conditions: [matches("type", "m.reaction")],
    actions: [],
  },
  {
    kind: "override",
    ruleId: ".m.rule.room.server_acl",
    enabled: true,
    conditions: [matches("type", "m.room.server_acl"), hasEmptyStateKey],
    actions: [],
  },
  {
    kind: "override",
    ruleId: ".org.matrix.msc3930.rule.poll_response",
    enabled: true,
    conditions: [matches("type", "org.matrix.msc3381.poll.response")],
    actions: [],
    option: "polls",
  },
  {
    kind: "override",
    ruleId: ".m.rule.suppress_edits",
    enabled: true,
    conditions: [is("content.m\\.relates_to.rel_type", "m.replace")],
    actions: [],
  },
  {
    kind: "content",
    ruleId: ".m.rule.contains_user_name",
    enabled: true,
    conditions: [],
    ownIdCondition: { kind: "event_match", key: "content.body", own: "localpart" },
    actions: ["notify", sound, highlight],
    option: "legacyMentions",
  },
  {
    kind: "postcontent",
    ruleId: ".io.element.msc4306.rule.unsubscribed_thread",
    enabled: true,
    conditions: [{ kind: "io.element.msc4306.thread_subscription", subscribed: false }],
    actions: [],
    option: "threadSubscriptions",
  },
  {
    kind: "postcontent",
    ruleId: ".io.element.msc4306.rule.subscribed_thread",
    enabled: true,
    conditions: [{ kind: "io.element.msc4306.thread_subscription", subscribed: true }],
    actions: ["notify", sound],
    option: "threadSubscriptions",
  },
  {
    kind: "underride",
    ruleId: ".m.rule.call",
    enabled: true,
    conditions: [matches("type", "m.call.invite")],
    actions: ["notify", ring],
  },
  {
    kind: "underride",
    ruleId: ".m.rule.encrypted_room_one_to_one",
    enabled: true,
    conditions: [isOneToOne, matches("type", "m.room.encrypted")],
    actions: ["notify", sound],
  },
  {
    kind: "underride",
    ruleId: ".m.rule.room_one_to_one",
    enabled: true,
    conditions: [isOneToOne, matches("type", "m.room.message")],
    actions: ["notify", sound],
  },
  {
    kind: "underride",
    ruleId: ".m.rule.message",
    enabled: true,
    conditions: [matches("type", "m.room.message")],
    actions: ["notify"],
  },
  {
    kind: "underride",
    ruleId: ".m.rule.encrypted",
    enabled: true,
    conditions: [matches("type", "m.room.encrypted")],
    actions: ["notify"],
  },
  {
    kind: "underride",
    ruleId: ".org.matrix.msc3930.rule.poll_start_one_to_one",
    enabled: true,
    conditions: [isOneToOne, matches("type", "org.matrix.msc3381.poll.start")],
    actions: ["notify", sound],
    option: "polls",
  },
  {
    kind: "underride",
    ruleId: ".org.matrix.msc3930.rule.poll_start",
    enabled: true,
    conditions: [matches("type", "org.matrix.msc3381.poll.start")],
    actions: ["notify"],
    option: "polls",
  },
  {
    kind: "underride",
    ruleId: ".org.matrix.msc3930.rule.poll_end_one_to_one",
    enabled: true,
    conditions: [isOneToOne, matches("type", "org.matrix.msc3381.poll.end")],
    actions: ["notify", sound],
    option: "polls",
  },
  {
    kind: "underride",
    ruleId: ".org.matrix.msc3930.rule.poll_end",
    enabled: true,
    conditions: [matches("type", "org.matrix.msc3381.poll.end")],
    actions: ["notify"],
    option: "polls",
  },
];
