import t from "tap";
import type { JsonValue } from "./json.ts";
import { isSpaceChild, roomFieldsOf } from "./room-summary.ts";

t.test("state decides fields only where it has what the specification says", async (t) => {
  t.strictSame(roomFieldsOf("m.room.name", { name: "Hall" }, null), { name: "Hall" });
  for (const name of ["", 5, null, ["Hall"]] as JsonValue[]) {
    t.strictSame(roomFieldsOf("m.room.name", { name }, null), { name: null }, JSON.stringify(name));
  }
  t.strictSame(roomFieldsOf("m.room.avatar", { url: "mxc://a.test/b" }, null), {
    avatarUrl: "mxc://a.test/b",
  });
  t.strictSame(roomFieldsOf("m.room.avatar", { url: "http://a.test/b" }, null), { avatarUrl: null });
  t.strictSame(roomFieldsOf("m.room.canonical_alias", { alias: "#a:b" }, null), { canonicalAlias: "#a:b" });
  t.strictSame(roomFieldsOf("m.room.canonical_alias", { alias: "a" }, null), { canonicalAlias: null });
  t.strictSame(roomFieldsOf("m.room.create", { "m.federate": false, type: "m.space" }, "@a:b"), {
    roomType: "m.space",
    creator: "@a:b",
    isFederatable: false,
  });
  t.equal(roomFieldsOf("m.room.create", {}, "@a:b")?.isFederatable, true);
  t.equal(roomFieldsOf("m.room.pinned_events", {}, null), undefined);
  t.equal(roomFieldsOf("constructor", {}, null), undefined);
  t.equal(roomFieldsOf("__proto__", {}, null), undefined);
});

t.test("the topic is the plain one of several", async (t) => {
  const topic = (content: Record<string, JsonValue>) => roomFieldsOf("m.room.topic", content, null)?.topic;
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
  const rules = (content: Record<string, JsonValue>) => roomFieldsOf("m.room.join_rules", content, null);
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
