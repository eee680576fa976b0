import t from "tap";
import { en } from "./en.ts";
import { zh } from "./zh.ts";

/** Every text with its place: `users.search`. Those with something inserted are asked for with numbers. */
function textsIn(part: object, place = ""): [string, string][] {
  return Object.entries(part as Record<string, unknown>).flatMap(([key, value]): [string, string][] => {
    const name = place === "" ? key : `${place}.${key}`;
    // What the server says in English: the keys in other languages are its own.
    if (name === "config.known") return [];
    if (typeof value === "string") return [[name, value]];
    if (typeof value === "function") return [[name, String(value(42, 43))]];
    return textsIn(value as object, name);
  });
}

const languages = { en: textsIn(en), zh: textsIn(zh) };

t.test("every language has every text", (t) => {
  t.ok(languages.en.length > 200);
  t.same(languages.zh.map(([place]) => place).toSorted(), languages.en.map(([place]) => place).toSorted());
  t.end();
});

t.test("no text is empty, and what is inserted is in every language", (t) => {
  const inserted = new Map(languages.en.map(([place, text]) => [place, text.match(/4[23]/g)?.toSorted()]));
  for (const [language, texts] of Object.entries(languages)) {
    for (const [place, text] of texts) {
      t.not(text.trim(), "", `${language} ${place}`);
      t.same(text.match(/4[23]/g)?.toSorted(), inserted.get(place), `${language} ${place}`);
    }
  }
  t.end();
});
