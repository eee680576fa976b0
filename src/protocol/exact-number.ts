/**
 * Numbers kept as they were written. JSON's numbers may have fractions, exponents and any size; canonical JSON allows none
 * of that, but events of room versions 1 to 5 and the requests of other servers may hold such numbers, and what was
 * signed is their text (appendices, "Canonical JSON", warning). Where one stands, the strict parser leaves the
 * engine's own raw JSON object, which `JSON.stringify` writes as it was read.
 */

import type { JsonObject, JsonValue } from "./json.ts";

/** A number as its source text. It cannot be counterfeited: only `JSON.rawJSON` makes such objects. */
export interface ExactNumber {
  readonly rawJSON: string;
}

declare global {
  interface JSON {
    rawJSON(text: string): ExactNumber;
    isRawJSON(value: unknown): value is ExactNumber;
    parse(
      text: string,
      reviver: (this: unknown, key: string, value: unknown, context: { source?: string }) => unknown,
    ): unknown;
  }
}

/** Whether a parsed value is a number kept as text. */
export function isExactNumber(value: unknown): value is ExactNumber {
  return JSON.isRawJSON(value);
}

/** The number itself, rounded to what a double can hold. */
export function plainNumber(number: number | ExactNumber): number {
  return typeof number === "number" ? number : Number(number.rawJSON);
}

/** An object without numbers kept as text: itself if it has none, else a copy with plain numbers. */
export function withPlainNumbers(object: JsonObject): JsonObject {
  return plainCopy(object) as JsonObject;
}

function plainCopy(value: JsonValue): JsonValue {
  if (typeof value !== "object" || value === null) return value;
  if (isExactNumber(value)) return Number(value.rawJSON);
  if (Array.isArray(value)) {
    const items = value.map(plainCopy);
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  const members = Object.entries(value).map(([key, member]): [string, JsonValue] => [key, plainCopy(member)]);
  return members.some(([key, member]) => member !== value[key]) ? Object.fromEntries(members) : value;
}

const exponentOfAnInteger = /^-?[0-9]+[eE]\+?[0-9]+$/;

/**
 * The text of such a number in canonical JSON. An exponent of a safe integer is written out, as the specification's
 * example has it (`1e10`); every other text stays, for that is what servers sign.
 */
export function canonicalNumberText(number: ExactNumber): string {
  const text = number.rawJSON;
  const value = Number(text);
  return exponentOfAnInteger.test(text) && Number.isSafeInteger(value) ? String(value + 0) : text;
}
