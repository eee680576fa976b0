const maxLocalPartBytes = 64;
const maxAddressBytes = 254;
/** No spaces, no control characters, none of the characters that stand around addresses (RFC 5322). */
const localPartGrammar = /^[^\s\p{Cc}\p{Cf}()<>[\]:;,"\\@]+$/u;
const labelGrammar = /^[\p{L}\p{N}\p{M}]([\p{L}\p{N}\p{M}-]*[\p{L}\p{N}\p{M}])?$/u;

/**
 * The canonical form of an e-mail address, case-folded (appendices, "3PID Types"): what is stored, compared and written to.
 * @returns `undefined` for what is no address, such as one with a name or angle brackets around it
 */
export function parseEmailAddress(text: string): string | undefined {
  if (!text.isWellFormed() || text.length > maxAddressBytes) return undefined;
  const folded = Array.from(text.normalize("NFC"), folding).join("");
  const at = folded.lastIndexOf("@");
  const [localPart, domain] = [folded.slice(0, at), folded.slice(at + 1)];
  if (at < 1 || !localPartGrammar.test(localPart) || /^\.|\.\.|\.$/.test(localPart)) return undefined;
  if (!domain.split(".").every((label) => label.length <= 63 && labelGrammar.test(label))) return undefined;
  const isShort = Buffer.byteLength(localPart) <= maxLocalPartBytes;
  return isShort && Buffer.byteLength(folded) <= maxAddressBytes ? folded : undefined;
}

/** The domain of an address, for the log: the rest of it is somebody's personal data. */
export function emailDomain(address: string): string {
  return address.slice(address.lastIndexOf("@") + 1);
}

/**
 * Unicode's full case folding of one character. Making it upper case and then lower case is the same, but for the dotless
 * i: that would become i, and an address somebody else's.
 */
function folding(character: string): string {
  return character === "ı" ? character : character.toUpperCase().toLowerCase();
}
