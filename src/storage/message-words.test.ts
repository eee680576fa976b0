import t from "tap";
import { foldMessage, messageWords, phraseOf } from "./message-words.ts";

t.test("text is folded: case, width, and marks where they are additions", async (t) => {
  t.equal(foldMessage("ÉCOLE Ünal ﬁ ＡＢＣ"), "ecole unal fi abc");
  t.equal(foldMessage("Łódź Ærø Straße İI"), "lodz aero strasse ii");
  t.equal(foldMessage("が"), "が", "a kana with its mark is another one");
  t.equal(foldMessage("हिंदी"), "हिंदी".normalize("NFKD").normalize("NFC"), "vowel signs stay");
  t.equal(foldMessage("\ud800"), "\ud800", "what is no text does no harm");
});

t.test("messages become words, and pairs of characters where there are no spaces", async (t) => {
  t.same(messageWords("Don't e-mail x@y.org!", 99), ["don", "t", "e", "mail", "x", "y", "org"]);
  t.same(messageWords("見る東京Tower", 99), ["見る", "る東", "東京", "京", "tower"]);
  t.same(messageWords("日", 99), ["日"]);
  t.same(messageWords("𠮷野家", 99), ["𠮷野", "野家", "家"], "beyond the first plane, too");
  t.same(messageWords("🎉🎊 ok", 99), ["🎉🎊", "🎊", "ok"]);
  t.same(messageWords('\0 " * - …', 99), []);
  t.same(messageWords("a b c d", 2), ["a", "b"]);
  t.equal(messageWords("x".repeat(1000), 99)[0]?.length, 64);
});

t.test("what is typed becomes a phrase", async (t) => {
  const { words, isPrefix } = phraseOf("e-Mail", false) ?? {};
  t.same([words, isPrefix], [["e", "mail"], true]);
  t.match(phraseOf("mail", true), { words: ["mail"], isPrefix: false });
  t.match(phraseOf("x", false), { words: ["x"], isPrefix: false }, "one letter begins too much");
  t.match(phraseOf("東", true), { words: ["東"], isPrefix: true }, "a character is the beginning of a pair");
  t.match(phraseOf("東京都", true), { words: ["東京", "京都"], isPrefix: false });
  t.match(phraseOf("東京Tower", false), { words: ["東京", "京", "tower"], isPrefix: true });
  t.equal(phraseOf("?!", false), undefined);
});
