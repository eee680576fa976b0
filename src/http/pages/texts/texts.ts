import { en, type Texts } from "./en.ts";
import { zh } from "./zh.ts";

export type Language = "en" | "zh";
export type { Texts };

const texts: Readonly<Record<Language, Texts>> = { en, zh };

export function textsOf(language: Language): Texts {
  return texts[language];
}

/**
 * The language of ours that somebody reads best.
 * @param preferred the `Accept-Language` header: tags, best first or with weights
 * @param asked `ui_locales` of OpenID Connect, which stands over it: tags with spaces between them
 */
export function languageOf(preferred: string | undefined, asked?: string): Language {
  const tags = asked === undefined ? byWeight(preferred ?? "") : asked.split(" ");
  for (const tag of tags) {
    const language = tag.trim().toLowerCase().split("-")[0];
    if (language === "en" || language === "zh") return language;
  }
  return asked === undefined ? "en" : languageOf(preferred);
}

function byWeight(header: string): string[] {
  return header
    .slice(0, 200)
    .split(",")
    .map((entry) => {
      const [tag = "", weight = ""] = entry.split(";q=");
      return { tag, weight: weight === "" ? 1 : Number(weight) };
    })
    .toSorted((a, b) => b.weight - a.weight)
    .map(({ tag }) => tag);
}
