import t from "tap";
import type { JsonValue } from "./json.ts";
import { isSpaceChild, summaryFieldsOf } from "./room-summary.ts";

t.test("state decides fields only where it has what the specification says", async (t) => {
  t.strictSame(summaryFieldsOf("m.room.name", { name: "Hall" }), { name: "Hall" });
  for (const name of ["", 5, null, ["Hall"]] as JsonValue[]) {
    t.strictSame(summaryFieldsOf("m.room.name", { name }), { name: null }, JSON.stringify(name));
  }
  t.strictSame(summaryFieldsOf("m.room.avatar", { url: "mxc://a.test/b" }), { avatarUrl: "mxc://a.test/b" });
  t.strictSame(summaryFieldsOf("m.room.avatar", { url: "http://a.test/b" }), { avatarUrl: null });
  t.strictSame(summaryFieldsOf("m.room.canonical_alias", { alias: "#a:b" }), { canonicalAlias: "#a:b" });
  t.strictSame(summaryFieldsOf("m.room.canonical_alias", { alias: "a" }), { canonicalAlias: null });
  t.equal(summaryFieldsOf("m.room.pinned_events", {}), undefined);
  t.equal(summaryFieldsOf("constructor", {}), undefined);
  t.equal(summaryFieldsOf("__proto__", {}), undefined);
});

t.test("the topic is the plain one of several", async (t) => {
  const topic = (content: Record<string, JsonValue>) => summaryFieldsOf("m.room.topic", content)?.topic;
  const html = { body: "<b>T</b>", mimetype: "text/html" };
  t.equal(topic({ topic: "old" }), "old");
  t.equal(topic({ topic: "old", "m.topic": { "m.text": [html, { body: "T" }] } }), "T");
  t.equal(
    topic({ topic: "old", "m.topic": { "m.text": [{ body: "T", mimetype: "text/plain" }, html] } }),
    "T",
  );
  t.equal(topic({ topic: "old", "m.topic": { "m.text": [html] } }), null);
  t.equal(topic({ topic: "old", "m.topic": { "m.text": "T" } }), "old");
  t.equal(topic({ topic: "old", "m.topic": { "m.text": [5, null] } }), null);
});

t.test("join rules name the rooms whose members are let in", async (t) => {
  const rules = (content: Record<string, JsonValue>) => summaryFieldsOf("m.room.join_rules", content);
  const allow: JsonValue = [
    { type: "m.room_membership", room_id: "!a:b" },
    { type: "org.example.other", room_id: "!c:d" },
    { type: "m.room_membership", room_id: "nonsense" },
    "x",
  ];
  const isIn = { joinRule: "restricted", allowedRoomIds: ["!a:b"] };
  t.strictSame(rules({ join_rule: "restricted", allow }), isIn);
  t.strictSame(rules({ join_rule: "public", allow }), { joinRule: "public", allowedRoomIds: [] });
  t.strictSame(rules({}), { joinRule: "invite", allowedRoomIds: [] });
  t.strictSame(rules({ join_rule: "restricted", allow: "x" }), {
    joinRule: "restricted",
    allowedRoomIds: [],
  });
});

t.test("a child of a space has servers to go by", async (t) => {
  t.ok(isSpaceChild({ via: ["a.test"] }));
  for (const via of [[], "a.test", [5], null] as JsonValue[]) t.notOk(isSpaceChild({ via }));
  t.notOk(isSpaceChild({}));
});
