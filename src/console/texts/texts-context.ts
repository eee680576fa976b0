import { createContext, useContext } from "react";
import { en, type Texts } from "./en.ts";
import { zh } from "./zh.ts";

export type { Texts };
export type Language = "en" | "zh";

/** Every language in its own name. */
export const languages: Readonly<Record<Language, { readonly name: string; readonly texts: Texts }>> = {
  en: { name: "English", texts: en },
  zh: { name: "中文", texts: zh },
};

interface LanguageChoice {
  readonly language: Language;
  readonly choose: (language: Language) => void;
}

export const LanguageContext = createContext<LanguageChoice>({ language: "en", choose: () => undefined });

export function useLanguage(): LanguageChoice {
  return useContext(LanguageContext);
}

export function useTexts(): Texts {
  return languages[useLanguage().language].texts;
}

const languageKey = "hearth.console.language";

/** What was chosen in this browser, or the first of its languages that there is. */
export function firstLanguage(): Language {
  const tags = [localStorage.getItem(languageKey) ?? "", ...navigator.languages];
  const known = tags.map((tag) => tag.split("-")[0]).find((tag) => tag === "en" || tag === "zh");
  return known ?? "en";
}

export function rememberLanguage(language: Language): void {
  localStorage.setItem(languageKey, language);
}
