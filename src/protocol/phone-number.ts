import { callingCodes } from "./calling-codes.ts";

/** E.164: up to 15 digits with the calling code, which never begins with 0. The shortest in use have 7. */
const msisdnGrammar = /^[1-9][0-9]{6,14}$/;
/** What people write between digits. */
const separators = /[\s().\-/\u00a0\u2010-\u2015]/g;
const maxLength = 40;

/** Whether text is a phone number in the canonical form of the medium `msisdn` (appendices, "3PID Types"). */
export function isMsisdn(text: string): boolean {
  return msisdnGrammar.test(text);
}

/**
 * The canonical form of a phone number as people write it: E.164 without `+`.
 * @param country two capital letters (ISO 3166-1): where the number would be dialled like that
 * @returns `undefined` for an unknown country, and for what cannot be a number
 */
export function parsePhoneNumber(country: string, text: string): string | undefined {
  const here = callingCodes.get(country);
  if (!here || text.length > maxLength) return undefined;
  const dialled = text.replaceAll(separators, "");
  const international = /^(?:\+|00)(.*)$/.exec(dialled)?.[1];
  const msisdn = international ?? here.code + withoutPrefix(dialled, here.nationalPrefix);
  return isMsisdn(msisdn) ? msisdn : undefined;
}

function withoutPrefix(dialled: string, prefix: string): string {
  return dialled.startsWith(prefix) ? dialled.slice(prefix.length) : dialled;
}
