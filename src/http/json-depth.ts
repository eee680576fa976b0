const quote = 0x22;
const backslash = 0x5c;
const openingBracket = 0x5b;
const closingBracket = 0x5d;
const openingBrace = 0x7b;
const closingBrace = 0x7d;

/** Whether JSON is nested deeper than so many levels. For bytes that are no JSON the answer may be either. */
export function isNestedDeeper(bytes: Uint8Array, maxLevels: number): boolean {
  // A level has a beginning and an end.
  if (bytes.length <= 2 * maxLevels) return false;
  let levels = 0;
  let isInString = false;
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index];
    if (isInString) {
      if (byte === backslash) index += 1;
      else if (byte === quote) isInString = false;
    } else if (byte === quote) {
      isInString = true;
    } else if (byte === openingBracket || byte === openingBrace) {
      levels += 1;
      if (levels > maxLevels) return true;
    } else if (byte === closingBracket || byte === closingBrace) {
      levels -= 1;
    }
  }
  return false;
}
