import t from "tap";
import { Pattern } from "./pattern.ts";
import { PatternError } from "./syntax.ts";

/** Python's `re.match` finds in the first texts what each expression describes, and in the others not. */
const cases: readonly (readonly [source: string, matching: readonly string[], others: readonly string[]])[] =
  [
    ["@_irc_.*", ["@_irc_bob:hs", "@_irc_"], ["@irc_bob:hs", "x@_irc_bob:hs"]],
    [
      "^@telegram_[0-9]+:example\\.com$",
      ["@telegram_123:example.com"],
      ["@telegram_:example.com", "@telegram_1:exampleXcom", "@telegram_1:example.com.org"],
    ],
    ["@(bridge|bot)(_[a-z]+)?:hs", ["@bridge:hs", "@bot_a:hs"], ["@bridge_:hs", "@other:hs"]],
    ["a|b.c", ["a", "bxc"], ["c", "bc"]],
    ["[[:digit:]_-]{2,3}$", ["12", "_-1"], ["1", "1234", "a1"]],
    ["[^a-c\\]]x", ["dx", "éx"], ["ax", "]x"]],
    ["[]a]+$", ["]a]"], ["b"]],
    ["\\d\\D\\w\\W\\s\\S\\.\\x41\\u00e9", ["1aZ- x.Aé"], ["aaZ- x.Aé"]],
    ["[\\d.-]+$", ["1.-2"], ["1a"]],
    ["(?!@admin)@.*:hs", ["@bob:hs"], ["@admin:hs"]],
    ["@(?=b)(?:bob|alice)", ["@bob"], ["@alice"]],
    ["(?P<name>a){2}(?<other>b)??c", ["aac", "aabc"], ["abc"]],
    ["a{,2}", ["a{,2}"], ["aa"]],
    ["", ["", "anything"], []],
    [".*", ["", "😀"], []],
    ["^.$", ["😀"], ["ab", "\n"]],
    ["\\Aab\\Z", ["ab"], ["abc"]],
  ];

t.test("texts that begin with what an expression describes", async (t) => {
  for (const [source, matching, others] of cases) {
    const pattern = new Pattern(source);
    for (const text of matching) t.ok(pattern.matches(text), `${source} on ${text}`);
    for (const text of others) t.notOk(pattern.matches(text), `${source} on ${text}`);
  }
});

t.test(
  "expressions that take other engines for ever take as many steps as the text has characters",
  async (t) => {
    const text = `${"a".repeat(250)}!`;
    for (const source of ["(a+)+$", "(a|a)*$", "(a*)*$", "(a|aa)+$", "(.*a){20}$", "(?!(a+)+$)(a*)*b"]) {
      t.notOk(new Pattern(source).matches(text), source);
    }
  },
);

t.test("what is no expression, or none that is safe, is refused with a reason", async (t) => {
  const refused: readonly (readonly [source: string, reason: RegExp])[] = [
    ["(a", /parenthesis that is not closed/],
    ["a)", /that nothing opened/],
    ["[a", /an end where something has to follow/],
    ["[z-a]", /wrong way round/],
    ["[[:nope:]]", /unknown class/],
    ["*a", /nothing to repeat/],
    ["a**", /repetition of a repetition/],
    ["^*", /no width/],
    ["a{3,2}", /wrong way round/],
    ["a{2000}", /repetitions/],
    ["(a{1000}){1000}", /too large/],
    ["\\1", /not understood/],
    ["(?i)a", /not understood/],
    ["(?<=a)b", /not understood/],
    ["(?=(?!a)b)", /lookahead within a lookahead/],
    ["\\xZZ", /character code/],
    ["a\\", /an end/],
    [`${"(".repeat(60)}${")".repeat(60)}`, /groups within each other/],
    ["a".repeat(1_001), /characters/],
  ];
  for (const [source, reason] of refused) {
    t.throws(() => new Pattern(source), { name: PatternError.name, message: reason }, source.slice(0, 40));
  }
});
