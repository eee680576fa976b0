import t from "tap";
import type { Test } from "tap";
import type { JsonValue } from "../json.ts";
import { compileCondition, needsScan, type PushUser } from "./conditions.ts";
import type { EventForPush, RoomForPush } from "./event.ts";
import type { PushCondition } from "./rules.ts";
import { alice, eventForPush, messageForPush } from "./testing/events.ts";

function holds(condition: PushCondition, event: EventForPush, user: PushUser = alice): boolean {
  const verdict = compileCondition(condition)(event);
  return typeof verdict === "boolean" ? verdict : verdict(user);
}

t.test("event_match", async (t) => {
  const topic = eventForPush({
    type: "m.room.topic",
    stateKey: "",
    content: { topic: "Lunch plans", "m.text": "escaped", nested: { deep: "Value" }, count: 3, none: null },
  });
  const cases: [key: string, pattern: string, holds: boolean][] = [
    ["content.topic", "lunc?*", true],
    ["content.topic", "LUNCH PLANS", true],
    ["content.topic", "lunch", false],
    ["content.topic", "*", true],
    ["content.m\\.text", "escaped", true],
    ["content.m.text", "*", false],
    ["content.nested.deep", "v*", true],
    ["content.nested", "*", false],
    ["content.count", "3", false],
    ["content.none", "*", false],
    ["content.absent", "*", false],
    ["type", "m.room.*", true],
    ["room_id", "!room:example.org", true],
    ["sender", "@bob:*", true],
    ["event_id", "$event", true],
    ["state_key", "", true],
    ["state_key", "?*", false],
    ["content.constructor", "*", false],
    ["origin_server_ts", "*", false],
    ["depth", "*", false],
  ];
  for (const [key, pattern, expected] of cases) {
    t.equal(holds({ kind: "event_match", key, pattern }, topic), expected, `${key}: ${pattern}`);
  }
  t.equal(
    holds({ kind: "event_match", key: "state_key", pattern: "*" }, eventForPush()),
    false,
    "an event that is no state has no state key",
  );
});

t.test("event_match on content.body finds words", async (t) => {
  const cases: [pattern: string, body: JsonValue, holds: boolean][] = [
    ["ex*ple", "An example event.", true],
    ["ex*ple", "exple", true],
    ["ex*ple", "An exciting triple-whammy", true],
    ["cake", "Let there be Cake!", true],
    ["CAKE", "let there be cake", true],
    ["cake", "pancakes", false],
    ["cake", "cake_tin", false],
    ["@room", "hi @room", true],
    ["tea time", "It is Tea Time.", true],
    ["tea time", "tea timer", false],
    ["tea time", "tea timer, tea time", true],
    ["тест", "это ТЕСТ", true],
    ["c?ke", "cake coke", true],
    ["cake", 7, false],
    ["cake", ["cake"], false],
  ];
  for (const [pattern, body, expected] of cases) {
    const event = eventForPush({ content: { body } });
    const condition = { kind: "event_match", key: "content.body", pattern };
    t.equal(holds(condition, event), expected, `${pattern} in ${JSON.stringify(body)}`);
  }
});

t.test("event_property_is", async (t) => {
  const event = eventForPush({
    content: { "m.federate": true, count: 3, none: null, text: "Text", list: [1], nested: {} },
  });
  const cases: [key: string, value: JsonValue, holds: boolean][] = [
    ["content.m\\.federate", true, true],
    ["content.m\\.federate", "true", false],
    ["content.m\\.federate", 1, false],
    ["content.count", 3, true],
    ["content.count", "3", false],
    ["content.none", null, true],
    ["content.absent", null, false],
    ["content.text", "Text", true],
    ["content.text", "text", false],
    ["content.text", "*", false],
    ["content.list", 1, false],
    ["content.nested", null, false],
    ["state_key", "", false],
  ];
  for (const [key, value, expected] of cases) {
    const name = `${key} is ${JSON.stringify(value)}`;
    t.equal(holds({ kind: "event_property_is", key, value }, event), expected, name);
  }
});

t.test("event_property_contains", async (t) => {
  const event = eventForPush({
    content: {
      aliases: ["#a:example.org", "#b:example.org", 5, null, { x: 1 }, ["in"]],
      text: "#a:example.org",
    },
  });
  const cases: [key: string, value: JsonValue, holds: boolean][] = [
    ["content.aliases", "#b:example.org", true],
    ["content.aliases", ":example.org", false],
    ["content.aliases", "#A:example.org", false],
    ["content.aliases", 5, true],
    ["content.aliases", "5", false],
    ["content.aliases", null, true],
    ["content.aliases", "in", false],
    ["content.aliases", false, false],
    ["content.text", "#a:example.org", false],
    ["content.absent", null, false],
  ];
  for (const [key, value, expected] of cases) {
    const name = `${key} contains ${JSON.stringify(value)}`;
    t.equal(holds({ kind: "event_property_contains", key, value }, event), expected, name);
  }
});

t.test("contains_display_name", async (t) => {
  const condition = { kind: "contains_display_name" };
  const named = (displayName: string | undefined) => ({
    userId: alice.userId,
    displayName: displayName ?? "",
  });
  t.equal(holds(condition, messageForPush("Hi ALICE MARGATROID!")), true);
  t.equal(holds(condition, messageForPush("Hi Alice")), false);
  t.equal(holds(condition, messageForPush("all at once"), named("all")), true);
  t.equal(holds(condition, messageForPush("allow"), named("all")), false);
  t.equal(holds(condition, messageForPush("anything"), named("*")), false, "a name is no pattern");
  t.equal(holds(condition, messageForPush("a * b"), named("*")), true);
  t.equal(holds(condition, messageForPush(""), named("")), false);
  t.equal(holds(condition, eventForPush({ content: {} })), false);
});

t.test("room_member_count", async (t) => {
  const cases: [is: string, counts: number[]][] = [
    ["2", [2]],
    ["==2", [2]],
    ["<3", [1, 2]],
    ["<=3", [1, 2, 3]],
    [">2", [3, 4]],
    [">=2", [2, 3, 4]],
    ["=2", []],
    ["!=2", []],
    ["2.0", []],
    ["", []],
    [" 2", []],
    ["2e0", []],
    ["==", []],
  ];
  for (const [is, counts] of cases) {
    const matching = [1, 2, 3, 4].filter((memberCount) =>
      holds({ kind: "room_member_count", is }, eventForPush({}, { memberCount })),
    );
    t.same(matching, counts, is);
  }
});

t.test("sender_notification_permission", async (t) => {
  const check = (t: Test, key: string, room: Partial<RoomForPush>, expected: boolean) =>
    t.equal(holds({ kind: "sender_notification_permission", key }, eventForPush({}, room)), expected);
  const levels = new Map([["room", 20]]);
  check(t, "room", { senderPowerLevel: 50 }, true);
  check(t, "room", { senderPowerLevel: 49 }, false);
  check(t, "room", { senderPowerLevel: Infinity }, true);
  check(t, "room", { senderPowerLevel: 20, notificationLevels: levels }, true);
  check(t, "room", { senderPowerLevel: 19, notificationLevels: levels }, false);
  check(t, "other", { senderPowerLevel: 49, notificationLevels: levels }, false);
  check(t, "constructor", { senderPowerLevel: 50, notificationLevels: levels }, true);
});

t.test("conditions that make no sense never match", async (t) => {
  const event = messageForPush("hello");
  const conditions: PushCondition[] = [
    { kind: "org.example.unknown" },
    { kind: "device", profile_tag: "x" },
    { kind: "event_match", key: "type" },
    { kind: "event_match", pattern: "*" },
    { kind: "event_match", key: 1, pattern: "*" },
    { kind: "event_match", key: "type", pattern: 1 },
    { kind: "event_property_is", key: "content.body" },
    { kind: "event_property_is", key: "content.body", value: { body: "hello" } },
    { kind: "event_property_contains", key: "content.body", value: ["hello"] },
    { kind: "event_property_is", key: "content.body", value: 1.5 },
    { kind: "room_member_count" },
    { kind: "room_member_count", is: 10 },
    { kind: "sender_notification_permission" },
  ];
  for (const condition of conditions) t.equal(holds(condition, event), false, JSON.stringify(condition));
});

t.test("which patterns take a scan", async (t) => {
  t.equal(needsScan("room_id", "!room:example.org"), false);
  t.equal(needsScan("content.body", "Cake"), false);
  t.equal(needsScan("content.body", "tea time"), true);
  t.equal(needsScan("content.body", "café"), true);
  t.equal(needsScan("content.body", "c*ke"), true);
  t.equal(needsScan("type", "m.?"), true);
});

t.test("thread_subscription", async (t) => {
  const reply = messageForPush("reply", { "m.relates_to": { rel_type: "m.thread", event_id: "$root" } });
  const condition = (subscribed: JsonValue) => ({
    kind: "io.element.msc4306.thread_subscription",
    subscribed,
  });
  for (const subscribed of [true, false]) {
    t.equal(holds(condition(subscribed), reply, { ...alice, followsThread: subscribed }), true);
    t.equal(holds(condition(subscribed), reply, { ...alice, followsThread: !subscribed }), false);
    t.equal(holds(condition(subscribed), reply), false, "of whom it is not known");
    t.equal(holds(condition(subscribed), messageForPush("no reply")), false);
  }
  t.equal(holds(condition("true"), reply, { ...alice, followsThread: true }), false);
});
