/** Text without differences that people do not mean when they search: case, diacritics, width of characters. */
export function foldText(text: string): string {
  return text.normalize("NFKD").replaceAll(/\p{M}/gu, "").toLowerCase().normalize("NFC");
}

/** Scripts that are written without spaces between words. */
const unspaced =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/gu;

/**
 * The words of a text, folded. Where a script has no spaces between words each character is a word, so that a name is
 * found by any of its characters.
 */
export function searchWords(text: string): string[] {
  return (
    foldText(text)
      .replaceAll(unspaced, " $& ")
      .match(/[\p{L}\p{N}]+/gu) ?? []
  );
}
