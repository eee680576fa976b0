import t from "tap";
import { registerUser, type TestClient } from "../support/client.ts";
import { startServer } from "../support/server.ts";

const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());

const base = "/_matrix/client/v3/pushrules";
const rulePath = (kind: string, ruleId: string, part = "") =>
  `${base}/global/${kind}/${encodeURIComponent(ruleId)}${part}`;

interface Rule {
  readonly rule_id: string;
  readonly default: boolean;
  readonly enabled: boolean;
  readonly actions: unknown[];
}

async function rulesOf(client: TestClient, kind: string): Promise<Rule[]> {
  const { body } = await client.get(`${base}/global/`, "getPushRulesGlobal");
  return body[kind] as Rule[];
}

async function ownRuleIds(client: TestClient, kind: string): Promise<string[]> {
  return (await rulesOf(client, kind)).filter((rule) => !rule.default).map((rule) => rule.rule_id);
}

t.test("getPushRules, getPushRulesGlobal: a new user has the predefined rules", async (t) => {
  const alice = await registerUser(server);
  const all = await alice.get(`${base}/`, "getPushRules");
  t.equal(all.status, 200);
  const { global } = all.body as { global: Record<string, Rule[]> };
  const master = global["override"]?.[0];
  t.match(master, { rule_id: ".m.rule.master", default: true, enabled: false, actions: [] });
  const mention = global["override"]?.find((rule) => rule.rule_id === ".m.rule.is_user_mention");
  t.match(mention, {
    conditions: [
      { kind: "event_property_contains", key: "content.m\\.mentions.user_ids", value: alice.userId },
    ],
  });
  t.strictSame((await alice.get(`${base}/global/`)).body, global);
  t.strictSame((await alice.get(base)).body, all.body, "with and without the slash");
});

t.test("setPushRule, getPushRule, deletePushRule: a rule of each kind", async (t) => {
  const alice = await registerUser(server);
  const rules = [
    [
      "override",
      "own.override",
      { actions: ["notify"], conditions: [{ kind: "event_match", key: "type", pattern: "m.*" }] },
    ],
    ["underride", "own underride", { actions: [], conditions: [] }],
    ["room", "!room:hearth.test", { actions: [] }],
    ["sender", "@spam:hearth.test", { actions: [] }],
    [
      "content",
      "cake",
      { actions: ["notify", { set_tweak: "sound", value: "cake.wav" }], pattern: "cake*lie" },
    ],
  ] as const;
  for (const [kind, ruleId, rule] of rules) {
    const set = await alice.put(rulePath(kind, ruleId), rule, "setPushRule");
    t.equal(set.status, 200, kind);
    t.strictSame(set.body, {});
    const got = await alice.get(rulePath(kind, ruleId), "getPushRule");
    t.equal(got.status, 200);
    t.match(got.body, { ...rule, rule_id: ruleId, default: false, enabled: true });
    t.equal((await alice.delete(rulePath(kind, ruleId), undefined, "deletePushRule")).status, 200);
    const gone = await alice.get(rulePath(kind, ruleId), "getPushRule");
    t.equal(gone.status, 404);
    t.equal(gone.body["errcode"], "M_NOT_FOUND");
    t.equal((await alice.delete(rulePath(kind, ruleId), undefined, "deletePushRule")).status, 404);
  }
});

t.test("setPushRule: new rules come first, or where before and after say", async (t) => {
  const alice = await registerUser(server);
  const set = (ruleId: string, query = "") =>
    alice.put(rulePath("content", ruleId) + query, { actions: [], pattern: ruleId }, "setPushRule");
  await set("a");
  await set("b");
  t.strictSame(await ownRuleIds(alice, "content"), ["b", "a"]);
  await set("c", "?after=b");
  await set("d", "?before=a");
  t.strictSame(await ownRuleIds(alice, "content"), ["b", "c", "d", "a"]);
  await set("a", "?before=b");
  t.strictSame(await ownRuleIds(alice, "content"), ["a", "b", "c", "d"]);
  const { status, body } = await set("e", "?before=never");
  t.equal(status, 400);
  t.equal(body["errcode"], "M_UNKNOWN");
  t.strictSame(await ownRuleIds(alice, "content"), ["a", "b", "c", "d"]);
});

t.test("setPushRuleEnabled, isPushRuleEnabled: own and predefined rules", async (t) => {
  const alice = await registerUser(server);
  await alice.put(rulePath("room", "!room:hearth.test"), { actions: [] });
  for (const [kind, ruleId, before] of [
    ["room", "!room:hearth.test", true],
    ["override", ".m.rule.master", false],
  ] as const) {
    const path = rulePath(kind, ruleId, "/enabled");
    t.strictSame((await alice.get(path, "isPushRuleEnabled")).body, { enabled: before });
    const set = await alice.put(path, { enabled: !before }, "setPushRuleEnabled");
    t.equal(set.status, 200);
    t.strictSame((await alice.get(path, "isPushRuleEnabled")).body, { enabled: !before });
  }
  for (const enabled of ["true", undefined, 1]) {
    const path = rulePath("override", ".m.rule.master", "/enabled");
    const { status, body } = await alice.put(path, { enabled }, "setPushRuleEnabled");
    t.equal(status, 400);
    t.equal(body["errcode"], "M_BAD_JSON");
  }
});

t.test("setPushRuleActions, getPushRuleActions: own and predefined rules", async (t) => {
  const alice = await registerUser(server);
  await alice.put(rulePath("sender", "@bob:hearth.test"), { actions: [] });
  const actions = ["notify", { set_tweak: "highlight" }];
  for (const [kind, ruleId] of [
    ["sender", "@bob:hearth.test"],
    ["underride", ".m.rule.message"],
  ] as const) {
    const path = rulePath(kind, ruleId, "/actions");
    t.equal((await alice.put(path, { actions }, "setPushRuleActions")).status, 200);
    t.strictSame((await alice.get(path, "getPushRuleActions")).body, { actions });
  }
  const path = rulePath("underride", ".m.rule.message", "/actions");
  for (const wrong of [{ actions: "notify" }, { actions: [1] }, {}]) {
    const { status } = await alice.put(path, wrong, "setPushRuleActions");
    t.equal(status, 400, JSON.stringify(wrong));
  }
  t.strictSame((await alice.get(path)).body, { actions });
});

t.test("isPushRuleEnabled, getPushRuleActions and their setters: an unknown rule is 404", async (t) => {
  const alice = await registerUser(server);
  const answers = [
    await alice.get(rulePath("room", "!never:hearth.test", "/enabled"), "isPushRuleEnabled"),
    await alice.put(
      rulePath("room", "!never:hearth.test", "/enabled"),
      { enabled: true },
      "setPushRuleEnabled",
    ),
    await alice.get(rulePath("room", "!never:hearth.test", "/actions"), "getPushRuleActions"),
    await alice.put(
      rulePath("room", "!never:hearth.test", "/actions"),
      { actions: [] },
      "setPushRuleActions",
    ),
    await alice.get(rulePath("override", ".m.rule.never"), "getPushRule"),
    await alice.delete(rulePath("override", ".m.rule.master"), undefined, "deletePushRule"),
  ];
  for (const { status, body } of answers) {
    t.equal(status, 404);
    t.equal(body["errcode"], "M_NOT_FOUND");
  }
});

t.test("setPushRule: what makes no rule is refused, and nothing is stored", async (t) => {
  const alice = await registerUser(server);
  const refused = [
    [rulePath("unknown", "a"), { actions: [] }],
    [rulePath("override", ".own"), { actions: [] }],
    [rulePath("override", "a/b"), { actions: [] }],
    [rulePath("override", "a\\b"), { actions: [] }],
    [rulePath("override", "a"), {}],
    [rulePath("override", "a"), { actions: "notify" }],
    [rulePath("override", "a"), { actions: ["explode"] }],
    [rulePath("override", "a"), { actions: [], conditions: {} }],
    [rulePath("override", "a"), { actions: [], conditions: [{ key: "type" }] }],
    [rulePath("content", "a"), { actions: [] }],
    [rulePath("content", "a"), { actions: [], pattern: 7 }],
    [rulePath("room", "!room:hearth.test"), []],
  ] as const;
  const before = (await alice.get(`${base}/global/`)).body;
  for (const [path, rule] of refused) {
    const { status, body } = await alice.put(path, rule, "setPushRule");
    t.equal(status, 400, `${path} ${JSON.stringify(rule)}`);
    t.match(body["errcode"], /^M_(BAD_JSON|INVALID_PARAM|MISSING_PARAM)$/);
  }
  t.strictSame((await alice.get(`${base}/global/`)).body, before);
});

t.test("setPushRule: changes made at once all count", async (t) => {
  const alice = await registerUser(server);
  const ids = ["a", "b", "c", "d", "e"];
  const answers = await Promise.all(
    ids.map((id) => alice.put(rulePath("content", id), { actions: [], pattern: id }, "setPushRule")),
  );
  t.strictSame(new Set(answers.map(({ status }) => status)), new Set([200]));
  t.strictSame((await ownRuleIds(alice, "content")).sort(), ids);
});

t.test("getPushRules: everybody has their own rules, and they outlive a restart", async (t) => {
  await using own = await startServer();
  const alice = await registerUser(own, "alice");
  const bob = await registerUser(own, "bob");
  await alice.put(rulePath("room", "!room:hearth.test"), { actions: [] });
  await own.restart();
  t.strictSame(await ownRuleIds(alice, "room"), ["!room:hearth.test"]);
  t.strictSame(await ownRuleIds(bob, "room"), []);
  const data = await alice.get(
    `/_matrix/client/v3/user/${alice.userId}/account_data/m.push_rules`,
    "getAccountData",
  );
  t.match(data.body, { global: { room: [{ rule_id: "!room:hearth.test" }] } });
});

t.test("getPushRules: polls notify like messages (MSC3930)", async (t) => {
  const alice = await registerUser(server);
  const sound = { set_tweak: "sound", value: "default" };
  const wanted = [
    ["poll_start_one_to_one", ["notify", sound]],
    ["poll_start", ["notify"]],
    ["poll_end_one_to_one", ["notify", sound]],
    ["poll_end", ["notify"]],
  ] as const;
  const underride = (await rulesOf(alice, "underride")).map((rule) => [rule.rule_id, rule.actions]);
  const first = underride.findIndex(([ruleId]) => ruleId === ".m.rule.encrypted") + 1;
  t.strictSame(
    underride.slice(first, first + wanted.length),
    wanted.map(([name, actions]) => [`.org.matrix.msc3930.rule.${name}`, [...actions]]),
  );
  const overrides = (await rulesOf(alice, "override")).map((rule) => rule.rule_id);
  const response = overrides.indexOf(".org.matrix.msc3930.rule.poll_response");
  t.equal(overrides[response - 1], ".m.rule.room.server_acl");
  const start = await alice.get(rulePath("underride", ".org.matrix.msc3930.rule.poll_start"), "getPushRule");
  const isPoll = { kind: "event_match", key: "type", pattern: "org.matrix.msc3381.poll.start" };
  t.strictSame(start.body["conditions"], [isPoll]);
  const path = rulePath("underride", ".org.matrix.msc3930.rule.poll_start", "/actions");
  t.equal((await alice.put(path, { actions: [] }, "setPushRuleActions")).status, 200);
});
