import fc from "fast-check";
import t from "tap";
import { highlightsIn, matchesTerms, parseSearchTerms, scoreOf } from "./search-terms.ts";

const wanted = (text: string) => parseSearchTerms(text).wanted.map(({ words }) => words);
const unwanted = (text: string) => parseSearchTerms(text).unwanted.map(({ words }) => words);

t.test("a search has words, phrases in quotes, and words that must not occur", async (t) => {
  t.same(wanted('one "two three" four'), [["one"], ["two", "three"], ["four"]]);
  t.same(unwanted('one -two -"three four" five-six'), [["two"], ["three", "four"]]);
  t.same(wanted('an "open quote'), [["an"], ["open", "quote"]]);
  t.same(wanted('12"'), [["12"]]);
  t.same(wanted("- -- -"), []);
  t.equal(wanted("w ".repeat(100)).length, 33, "so many are looked at");
  t.equal(wanted("w-".repeat(100))[0]?.length, 32);
});

t.test("texts match, better or worse", async (t) => {
  const terms = parseSearchTerms("meet budget");
  t.ok(matchesTerms("The budget of the meeting", terms));
  t.notOk(matchesTerms("The budget", terms));
  const score = (text: string) => scoreOf(text, parseSearchTerms("lunch"));
  t.ok(score("lunch lunch") > score("lunch today"), "more often is better");
  t.ok(score("lunch") > score("lunch with many other words around it"), "less beside it is better");
  t.ok(score("lunch today") > score("lunchtime today"), "a whole word is better");
  t.equal(score("dinner"), 0);
});

t.test("what is marked is what is written", async (t) => {
  t.same(highlightsIn(["Das CAFÉ hat zu", "Cafés"], parseSearchTerms("cafe")), ["café", "cafés"]);
  t.same(highlightsIn(["我们在北京"], parseSearchTerms("北京")), ["北京"]);
  t.same(highlightsIn(["nothing"], parseSearchTerms("cafe")), []);
});

t.test("every stretch of a text finds it, whatever the text", async (t) => {
  const text = fc.array(fc.constantFrom("東", "京", "カ", "학", "é", "ab", " ", "-", "🎉", "ß"), {
    minLength: 1,
  });
  const property = fc.property(text, fc.nat(), fc.nat(), (parts, from, length) => {
    const start = from % parts.length;
    const whole = parts.join("");
    // A stretch that begins in the middle of a word is none that people look for.
    const stretch = parts.slice(start, start + 1 + (length % 6)).join("");
    const isInsideWord = /[a-zéß]$/.test(parts.slice(0, start).join("")) && /^[a-zéß]/.test(stretch);
    fc.pre(!isInsideWord && !stretch.includes("-") && !stretch.includes(" "));
    const terms = parseSearchTerms(stretch);
    fc.pre(terms.wanted.every(({ words }) => words.every((word) => word.length > 1)));
    return matchesTerms(whole, terms);
  });
  t.doesNotThrow(() => fc.assert(property));
});
