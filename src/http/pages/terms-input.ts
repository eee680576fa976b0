import type { Policies } from "../../auth/terms-stage.ts";
import { preferredLanguage } from "../../delivery/languages.ts";
import { html } from "./html.ts";

/** What a person has to accept, each policy in the language that they like best of those it is in. */
export function termsInput(policies: Policies, acceptLanguage: string | undefined): string {
  return policies.map((policy) => checkbox(policy, acceptLanguage)).join("\n");
}

function checkbox({ translations }: Policies[number], acceptLanguage: string | undefined): string {
  const languages = translations.map(({ language }) => language);
  const preferred = preferredLanguage(acceptLanguage, languages) ?? preferredLanguage("en", languages);
  const chosen = translations.find(({ language }) => language === preferred) ?? translations[0];
  if (!chosen) return "";
  const { language, name, url } = chosen;
  return html`<label><input type="checkbox" required>
<a href="${url}" hreflang="${language}" target="_blank" rel="noopener">${name}</a></label>`.text;
}
