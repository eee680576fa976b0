import { CanonicalJsonError } from "./errors.ts";
import { canonicalNumberText, isExactNumber } from "./exact-number.ts";

export interface CanonicalJsonOptions {
  /**
   * Room version 6 and later: only integers within ±(2^53 - 1). Without it, fractions and numbers kept as text are
   * written too, as room versions 1 to 5 must allow.
   */
  readonly strict: boolean;
  /** Arrays and objects may be nested this deep; {@link maxJsonDepth} unless said otherwise. */
  readonly maxDepth?: number;
}

/** Arrays and objects may be nested this deep. It is about what other servers can parse, and keeps recursion bounded. */
export const maxJsonDepth = 1000;

/**
 * The canonical JSON of a value (appendices, "Canonical JSON"): the shortest encoding, keys sorted by code point.
 * @throws CanonicalJsonError for a value that has none
 */
export function encodeCanonicalJson(value: unknown, options: CanonicalJsonOptions): string {
  return encodeValue(value, options.strict, options.maxDepth ?? maxJsonDepth);
}

/** Like {@link encodeCanonicalJson}, as UTF-8. */
export function canonicalJsonBytes(value: unknown, options: CanonicalJsonOptions): Buffer {
  return Buffer.from(encodeCanonicalJson(value, options));
}

function encodeValue(value: unknown, strict: boolean, depthLeft: number): string {
  switch (typeof value) {
    case "string":
      return encodeJsonString(value);
    case "number":
      return encodeNumber(value, strict);
    case "boolean":
      return value ? "true" : "false";
    case "object":
      if (value === null) return "null";
      if (depthLeft === 0) throw new CanonicalJsonError("too-deep", "JSON is nested too deep.");
      return Array.isArray(value)
        ? encodeArray(value, strict, depthLeft - 1)
        : encodeObject(value, strict, depthLeft - 1);
    default:
      throw new CanonicalJsonError("not-json", `A value of type ${typeof value} has no JSON.`);
  }
}

function encodeArray(items: readonly unknown[], strict: boolean, depthLeft: number): string {
  if (items.length === 0) return "[]";
  let text = `[${encodeValue(items[0], strict, depthLeft)}`;
  for (let index = 1; index < items.length; index++)
    text += `,${encodeValue(items[index], strict, depthLeft)}`;
  return `${text}]`;
}

function encodeObject(object: object, strict: boolean, depthLeft: number): string {
  const prototype: unknown = Object.getPrototypeOf(object);
  if (prototype !== Object.prototype && prototype !== null) {
    throw new CanonicalJsonError("not-json", "Only plain objects and arrays have canonical JSON.");
  }
  if (prototype === null && isExactNumber(object)) return encodeExactNumber(object.rawJSON, strict, object);
  let text = "";
  const members = object as Readonly<Record<string, unknown>>;
  for (const key of sortedKeys(members)) {
    text += `${text === "" ? "{" : ","}${encodeJsonString(key)}:${encodeValue(members[key], strict, depthLeft)}`;
  }
  return text === "" ? "{}" : `${text}}`;
}

function encodeExactNumber(source: string, strict: boolean, number: { readonly rawJSON: string }): string {
  if (strict) throw notAnInteger(source);
  return canonicalNumberText(number);
}

function encodeNumber(value: number, strict: boolean): string {
  // Adding 0 turns -0 into 0, which is how every server reads and writes it.
  if (Number.isSafeInteger(value)) return `${value + 0}`;
  if (!Number.isFinite(value)) throw new CanonicalJsonError("not-json", `${value} has no JSON.`);
  if (strict) throw notAnInteger(String(value));
  return `${value}`;
}

function notAnInteger(source: string): CanonicalJsonError {
  const shown = source.length > 40 ? `${source.slice(0, 40)}…` : source;
  return /^-?[0-9]+$/.test(source)
    ? new CanonicalJsonError("integer-out-of-range", `The integer ${shown} is not within ±(2^53 - 1).`)
    : new CanonicalJsonError("not-an-integer", `The number ${shown} is not an integer within ±(2^53 - 1).`);
}

// Anything but the characters that stand for themselves: a quotation mark, a backslash, a control character, a surrogate.
const needsCare = /[^ !#-[\]-\ud7ff\ue000-\uffff]/;

/** A string in canonical JSON, with its quotation marks. */
export function encodeJsonString(text: string): string {
  if (!needsCare.test(text)) return `"${text}"`;
  if (!text.isWellFormed()) {
    throw new CanonicalJsonError(
      "lone-surrogate",
      "A string holds half of a surrogate pair, which UTF-8 cannot express.",
    );
  }
  return JSON.stringify(text);
}

/** An object's keys sorted by code point. */
export function sortedKeys(object: object): string[] {
  const keys = Object.keys(object);
  for (let index = 1; index < keys.length; index++) {
    if (compareCodePoints(keys[index - 1] ?? "", keys[index] ?? "") > 0) return keys.sort(compareCodePoints);
  }
  return keys;
}

/**
 * Orders strings by code point. JavaScript's own order is by UTF-16 unit, which puts U+10000 and up before U+E000.
 * @returns a number below, equal to or above 0
 */
export function compareCodePoints(left: string, right: string): number {
  if (left === right) return 0;
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const a = left.charCodeAt(index);
    const b = right.charCodeAt(index);
    if (a !== b) return orderOfUnit(a) - orderOfUnit(b);
  }
  return left.length - right.length;
}

/** Moves surrogates, which stand for code points above all others, behind U+FFFF. */
function orderOfUnit(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
