interface Wish {
  readonly language: string;
  readonly weight: number;
}

/** No browser sends more. */
const maxWishes = 20;

/**
 * The language of those there are that somebody likes best.
 * @param acceptLanguage the header of that name (RFC 9110, 12.5.4)
 * @returns `undefined` when there is none that they read
 */
export function preferredLanguage(
  acceptLanguage: string | undefined,
  available: readonly string[],
): string | undefined {
  const wishes = (acceptLanguage ?? "").split(",", maxWishes).flatMap(wishOf);
  for (const { language } of wishes.sort((a, b) => b.weight - a.weight)) {
    const found = available.find((candidate) => candidate.toLowerCase() === language);
    // Who asks for zh-TW or en-GB can make do with zh or en.
    const related = found ?? available.find((candidate) => primary(candidate) === primary(language));
    if (related !== undefined) return related;
  }
  return undefined;
}

function wishOf(text: string): Wish[] {
  const [language = "", ...parameters] = text.split(";").map((part) => part.trim().toLowerCase());
  const quality = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2);
  const weight = quality === undefined ? 1 : Number(quality);
  return language !== "" && language !== "*" && weight > 0 ? [{ language, weight }] : [];
}

function primary(language: string): string {
  return language.toLowerCase().split("-", 1)[0] ?? "";
}
