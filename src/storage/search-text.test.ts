import t from "tap";
import { foldText, searchWords } from "./search-text.ts";

t.test("text is folded: case, diacritics and width do not count", async (t) => {
  t.equal(foldText("ÉCOLE Ünal ﬁ ＡＢＣ"), "ecole unal fi abc");
  t.equal(foldText("e\u0301"), foldText("é"), "composed or not");
  t.equal(foldText("İstanbul"), foldText("istanbul"));
  t.equal(foldText("김철수"), "김철수", "syllables stay whole");
  t.equal(foldText("\ud800"), "\ud800", "what is no text does no harm");
});

t.test("words are split where people see words, and each character where there are no spaces", async (t) => {
  t.strictSame(searchWords("anna.smith-7 (PhD)"), ["anna", "smith", "7", "phd"]);
  t.strictSame(searchWords("田中 Taro"), ["田", "中", "taro"]);
  t.strictSame(searchWords("Taro田中"), ["taro", "田", "中"]);
  t.strictSame(searchWords("カナ"), ["カ", "ナ"]);
  t.strictSame(searchWords('🎉 \0 " * -'), []);
});
