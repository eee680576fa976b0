import t from "tap";
import * as fc from "fast-check";
import { foldCase, Glob } from "./glob.ts";

/** What the specification says in the plainest words, exponential as it is. */
function matchesNaively(pattern: readonly string[], text: readonly string[]): boolean {
  const [token, ...restOfPattern] = pattern;
  if (token === undefined) return text.length === 0;
  const [character, ...restOfText] = text;
  if (token === "*" && matchesNaively(restOfPattern, text)) return true;
  if (character === undefined) return false;
  if (token === "*") return matchesNaively(pattern, restOfText);
  return (token === "?" || token === character) && matchesNaively(restOfPattern, restOfText);
}

function wordMatchesNaively(pattern: string, text: string): boolean {
  const characters = Array.from(text);
  const isWord = (character: string | undefined) =>
    character !== undefined && /^[A-Za-z0-9_]$/.test(character);
  const isBoundary = (index: number) => !(isWord(characters[index - 1]) && isWord(characters[index]));
  for (let start = 0; start <= characters.length; start++) {
    for (let end = start; end <= characters.length; end++) {
      if (!isBoundary(start) || !isBoundary(end)) continue;
      if (matchesNaively(Array.from(pattern), characters.slice(start, end))) return true;
    }
  }
  return false;
}

t.test("the whole text", async (t) => {
  const cases: [pattern: string, text: string, matches: boolean][] = [
    ["lunc?*", "Lunch plans", true],
    ["lunc?*", "LUNCH", true],
    ["lunc?*", " lunch", false],
    ["lunc?*", "lunc", false],
    ["*.example.org", "a.example.org", true],
    ["*.example.org", "example.org", false],
    ["?.org", "a.org", true],
    ["?.org", "ab.org", false],
    ["*", "", true],
    ["", "", true],
    ["", "a", false],
    ["a*c", "abbc", true],
    ["a*c", "abbcd", false],
    ["**a**", "a", true],
    ["?", "💬", true],
    ["??", "💬", false],
    ["Ä*", "äÖ", true],
    ["m.room.message", "m.room.message", true],
    ["m.room.message", "mxroom.message", false],
    ["[a-z]+", "[A-Z]+", true],
    ["[a-z]+", "b", false],
    [`${"a".repeat(40)}?`, "a".repeat(41), true],
    [`${"a".repeat(40)}?`, "a".repeat(40), false],
    [`${"ab".repeat(100)}*z`, `${"ab".repeat(100)}${"b".repeat(100)}z`, true],
  ];
  for (const [pattern, text, matches] of cases) {
    t.equal(new Glob(pattern).matchesWhole(foldCase(text)), matches, `${pattern} on ${text}`);
  }
});

t.test("words of the text", async (t) => {
  const cases: [pattern: string, text: string, matches: boolean][] = [
    ["ex*ple", "An example event.", true],
    ["ex*ple", "exple", true],
    ["ex*ple", "An exciting triple-whammy", true],
    ["ex*ple", "An exciting triples", false],
    ["cake", "Let them eat CAKE!", true],
    ["cake", "cakes", false],
    ["cake", "pancake", false],
    ["cake", "_cake", false],
    ["cake", "cake2", false],
    ["cake", "écake", true],
    ["тест", "это тест.", true],
    ["@room", "hello @room", true],
    ["@room", "@rooms", false],
    ["good morning", "Good morning, all", true],
    ["good morning", "good  morning", false],
    ["", "anything", true],
    ["", "", true],
    ["?", "ab", false],
    ["?", "a bc", true],
    ["a*", "xa y", false],
  ];
  for (const [pattern, text, matches] of cases) {
    t.equal(new Glob(pattern).matchesWords(foldCase(text)), matches, `${pattern} in ${text}`);
  }
});

t.test("wildcards taken as they are", async (t) => {
  t.equal(new Glob("*w?w*", "plain").matchesWhole("*w?w*"), true);
  t.equal(new Glob("*w?w*", "plain").matchesWhole("wow"), false);
  t.equal(new Glob("*w?w*", "plain").literal, "*w?w*");
  t.equal(new Glob("Plain").literal, "plain");
  t.equal(new Glob("pl*in").literal, undefined);
});

t.test("agrees with the definition on every short pattern and text", async (t) => {
  const symbol = fc.constantFrom("a", "b", "_", " ", "-", "é", "💬");
  const token = fc.oneof(symbol, fc.constantFrom("*", "?"));
  const patterns = fc.array(token, { maxLength: 7 }).map((tokens) => tokens.join(""));
  const texts = fc.array(symbol, { maxLength: 9 }).map((symbols) => symbols.join(""));
  const property = fc.property(patterns, texts, (pattern, text) => {
    const glob = new Glob(pattern);
    return (
      glob.matchesWhole(text) === matchesNaively(Array.from(pattern), Array.from(text)) &&
      glob.matchesWords(text) === wordMatchesNaively(pattern, text)
    );
  });
  t.doesNotThrow(() => fc.assert(property, { numRuns: 2000 }), "2000 patterns");
});

t.test("a pattern of many different characters", async (t) => {
  const letters = Array.from({ length: 400 }, (_, index) => String.fromCodePoint(0x4e00 + index)).join("");
  const glob = new Glob(`${letters}abc*z`);
  t.equal(glob.matchesWhole(`${letters}abcyz`), true);
  t.equal(glob.matchesWhole(`${letters}abdyz`), false);
});

t.test("a pattern made to be slow is not", async (t) => {
  const glob = new Glob("*a".repeat(120));
  const text = "a".repeat(119).concat("b".repeat(60_000));
  t.equal(glob.matchesWhole(text), false);
  t.equal(glob.matchesWords(text), false);
});

t.test("a pattern much longer than the text", async (t) => {
  const letters = Array.from({ length: 40_000 }, (_, index) => String.fromCodePoint(0x10000 + index)).join(
    "",
  );
  t.equal(new Glob(`${letters}*`).matchesWhole("example.org"), false);
  t.equal(new Glob(`${"*".repeat(60_000)}.org`).matchesWhole("example.org"), true);
});

t.test("no text makes it throw", async (t) => {
  const anyText = fc.string({ unit: "binary" });
  fc.assert(
    fc.property(anyText, anyText, (pattern, text) => {
      const glob = new Glob(pattern);
      // Whatever else, a text without wildcards that equals the pattern matches.
      return glob.matchesWhole(foldCase(text)) || glob.literal !== foldCase(text);
    }),
  );
  t.equal(
    new Glob("\ud800?").matchesWhole("\ud800x"),
    true,
    "a lone surrogate is a character like any other",
  );
});
