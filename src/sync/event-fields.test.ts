import t from "tap";
import { EventFields } from "./event-fields.ts";

const event = {
  type: "m.room.message",
  content: {
    body: "Hello",
    info: { w: 1, h: 2 },
    "m.relates_to": { rel_type: "m.thread" },
    list: [{ a: 1 }],
  },
  unsigned: null,
};

t.test("properties are selected by their paths", async (t) => {
  const select = (...paths: string[]) => new EventFields(paths).select(event);
  t.strictSame(select("type"), { type: "m.room.message" });
  t.strictSame(select("content.body", "content.info.h"), { content: { body: "Hello", info: { h: 2 } } });
  t.strictSame(select("content.m\\.relates_to"), { content: { "m.relates_to": { rel_type: "m.thread" } } });
  t.strictSame(select("content.list"), { content: { list: [{ a: 1 }] } });
  t.strictSame(select("unsigned"), { unsigned: null });
  t.strictSame(select(), {});
});

t.test("what an event lacks is left away", async (t) => {
  const select = (path: string) => new EventFields([path]).select(event);
  for (const path of [
    "sender",
    "content.formatted_body",
    "type.length",
    "content.list.0",
    "unsigned.age",
    "toString",
  ]) {
    t.strictSame(select(path), {}, path);
  }
});

t.test("the whole of a property includes its parts, in whatever order they are named", async (t) => {
  for (const paths of [
    ["content", "content.body"],
    ["content.body", "content"],
  ]) {
    t.strictSame(new EventFields(paths).select(event), { content: event.content });
  }
});

t.test("a property may be called __proto__", async (t) => {
  const strange = JSON.parse('{"__proto__":{"a":1},"b":2}');
  t.equal(JSON.stringify(new EventFields(["__proto__.a"]).select(strange)), '{"__proto__":{"a":1}}');
});
