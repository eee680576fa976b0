import t from "tap";
import { en } from "./en.ts";
import { languageOf } from "./texts.ts";
import { zh } from "./zh.ts";

t.test("the language that somebody reads best", async (t) => {
  t.equal(languageOf(undefined), "en");
  t.equal(languageOf("fr, de;q=0.8"), "en");
  t.equal(languageOf("zh-CN,zh;q=0.9,en;q=0.8"), "zh");
  t.equal(languageOf("fr, zh-TW;q=0.3, en-GB;q=0.5"), "en");
  t.equal(languageOf("en", "fr zh-Hans"), "zh");
  t.equal(languageOf("zh", "fr"), "zh");
  t.equal(languageOf(";q=x,,en;q=nonsense"), "en");
});

t.test("every text is there in both languages, and not in the other's words", async (t) => {
  const walk = (left: object, right: object, path: string): void => {
    t.strictSame(Object.keys(left), Object.keys(right), path);
    for (const [key, value] of Object.entries(left)) {
      const other: unknown = right[key as keyof typeof right];
      if (typeof value === "object") walk(value as object, other as object, `${path}.${key}`);
      else if (typeof value === "string") t.not(value, other, `${path}.${key}`);
    }
  };
  walk(en, zh, "texts");
});
