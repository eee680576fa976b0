import t from "tap";
import { RequiredState } from "./required-state.ts";
import type { StatePattern, StateRule } from "./state-rules.ts";

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

const included = (include: StatePattern[], exclude: StatePattern[] = [], isLazy = false) =>
  RequiredState.of([{ include, exclude, isLazy }], me);

t.test("the merged form: what is included, but for what is excluded", (t) => {
  const exact = included([
    ["m.room.create", ""],
    ["m.room.member", me],
  ]);
  t.same(exact.pairs, [
    ["m.room.create", ""],
    ["m.room.member", me],
  ]);
  t.ok(exact.matches("m.room.create", ""));
  t.notOk(exact.matches("m.room.create", "x"));
  const most = included([[null, null]], [["m.room.create", ""]]);
  t.equal(most.pairs, undefined);
  t.ok(most.matches("m.room.member", me));
  t.notOk(most.matches("m.room.create", ""));
  const keyed = included([[null, "key"]], [["a", null]]);
  t.ok(keyed.matches("b", "key"));
  t.notOk(keyed.matches("a", "key"));
  t.notOk(keyed.matches("b", "other"));
  t.same(included([["a", ""]], [["a", null]]).pairs, [], "nothing is left");
  t.notOk(included([]).matches("a", ""));
  t.notOk(included([["*", "*"]]).matches("a", ""), "an asterisk is nothing but that");
  t.end();
});

t.test("the merged form: members that are loaded lazily, and those that always come", (t) => {
  const lazy = included(
    [
      [null, null],
      ["m.room.member", me],
      ["m.room.member", null],
    ],
    [],
    true,
  );
  t.ok(lazy.isLazy);
  t.ok(lazy.matches("m.room.topic", ""));
  t.ok(lazy.matches("m.room.member", me));
  t.notOk(lazy.matches("m.room.member", "@other:hearth.test"));
  t.notOk(included([[null, null]]).isLazy);
  t.end();
});

t.test("the merged form: equal rules have equal texts, and stand beside those of the other form", (t) => {
  const one = included(
    [
      ["a", null],
      ["b", ""],
    ],
    [["c", "d"]],
    true,
  );
  const other = included(
    [
      ["b", ""],
      ["a", null],
    ],
    [["c", "d"]],
    true,
  );
  t.equal(one.text, other.text);
  t.equal(RequiredState.fromText(one.text).text, one.text);
  const union = of(["z", ""]).with(one);
  t.ok(union.matches("z", ""));
  t.ok(union.matches("a", "any"));
  t.equal(union.with(one).text, union.text);
  t.equal(RequiredState.fromText(union.text).text, union.text);
  t.end();
});
