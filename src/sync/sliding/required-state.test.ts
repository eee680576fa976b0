import t from "tap";
import { RequiredState, type StateRule } from "./required-state.ts";

const me = "@me:hearth.test";
const of = (...rules: StateRule[]) => RequiredState.of([rules], me);

t.test("exact rules, and whom $ME stands for", (t) => {
  const required = of(["m.room.name", ""], ["m.room.member", "$ME"]);
  t.ok(required.matches("m.room.name", ""));
  t.notOk(required.matches("m.room.name", "x"));
  t.ok(required.matches("m.room.member", me));
  t.notOk(required.matches("m.room.member", "$ME"));
  t.notOk(required.isLazy);
  t.same(required.pairs, [
    ["m.room.member", me],
    ["m.room.name", ""],
  ]);
  t.end();
});

t.test("wildcards in either place", (t) => {
  const required = of(["m.space.child", "*"], ["*", "key"]);
  t.ok(required.matches("m.space.child", "!a"));
  t.ok(required.matches("anything", "key"));
  t.notOk(required.matches("anything", "other"));
  t.equal(required.pairs, undefined);
  t.end();
});

t.test("beside all state, further rules leave out what they do not name", (t) => {
  const required = of(["*", "*"], ["m.room.member", me]);
  t.ok(required.matches("m.room.topic", ""));
  t.ok(required.matches("m.room.member", me));
  t.notOk(required.matches("m.room.member", "@other:hearth.test"));
  const lazy = of(["*", "*"], ["m.room.member", "$LAZY"]);
  t.ok(lazy.isLazy);
  t.notOk(lazy.matches("m.room.member", me));
  t.ok(lazy.matches("m.room.topic", ""));
  t.end();
});

t.test("several lists let pass what any of them does", (t) => {
  const lists = [[["*", "*"]], [["m.room.member", "$LAZY"]]] as const;
  const required = RequiredState.of(lists, me);
  t.ok(required.matches("m.room.member", "@other:hearth.test"), "no list of rules changes another");
  t.ok(required.isLazy);
  const name = of(["m.room.name", ""]);
  const both = of(["m.room.topic", ""]).with(name);
  t.ok(both.matches("m.room.name", ""));
  t.ok(both.matches("m.room.topic", ""));
  t.equal(both.with(name), both, "nothing is added twice");
  t.end();
});

t.test("equal rules have equal texts, whatever their order", (t) => {
  const one = of(["a", ""], ["b", ""]);
  t.equal(of(["b", ""], ["a", ""]), one);
  t.equal(RequiredState.fromText(one.text), one);
  const long = of(["a", "x".repeat(20_000)]);
  t.equal(one.with(long), one, "what is too much to remember is forgotten");
  t.end();
});
