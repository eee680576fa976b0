import { maxJsonDepth } from "./canonical-json.ts";
import { StrictJsonError } from "./errors.ts";
import type { JsonValue } from "./json.ts";

// A byte order mark is left in, so that it is refused: it is not JSON.
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Parses the JSON that servers send each other, and loses nothing: what could not be hashed or signed as it was sent is
 * refused (bytes that are not UTF-8, duplicate keys, halves of surrogate pairs, deep nesting), numbers that are not
 * integers within ±(2^53 - 1) are kept as text (see exact-number.ts), `__proto__` is a key like any other.
 * Which events may hold such numbers depends on their room's version: strict canonical JSON refuses them.
 * @throws StrictJsonError
 */
export function parseStrictJson(source: string | Uint8Array): JsonValue {
  const text = typeof source === "string" ? source : decodeUtf8(source);
  const value = parse(text);
  const survey = surveyJson(text);
  if (survey.depth > maxJsonDepth) {
    throw new StrictJsonError("too-deep", `JSON is nested deeper than ${maxJsonDepth} levels.`);
  }
  if (countMembers(value) !== survey.members) {
    throw new StrictJsonError("duplicate-key", "An object has the same key twice.");
  }
  if (hasSurrogateEscape.test(text)) assertWellFormed(value);
  return survey.hasInexactNumbers ? parse(text, keepInexactNumber) : value;
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (error) {
    throw new StrictJsonError("invalid-utf8", "The text is not UTF-8.", { cause: error });
  }
}

type Reviver = (key: string, value: unknown, context: { source?: string }) => unknown;

function parse(text: string, reviver?: Reviver): JsonValue {
  try {
    return (reviver === undefined ? JSON.parse(text) : JSON.parse(text, reviver)) as JsonValue;
  } catch (error) {
    if (error instanceof StrictJsonError) throw error;
    throw new StrictJsonError("syntax", "The text is not JSON.", { cause: error });
  }
}

function keepInexactNumber(_key: string, value: unknown, { source }: { source?: string }): unknown {
  if (typeof value !== "number" || source === undefined || isExactInteger(source)) return value;
  if (Number.isFinite(value)) return JSON.rawJSON(source);
  throw new StrictJsonError("number-out-of-range", "A number is too large.");
}

/** Whether a number's text is an integer that a double holds exactly. */
function isExactInteger(source: string): boolean {
  return /^-?[0-9]+$/.test(source) && Number.isSafeInteger(Number(source));
}

interface JsonSurvey {
  readonly depth: number;
  /** How many members all objects have, duplicates counted. */
  readonly members: number;
  readonly hasInexactNumbers: boolean;
}

/** Reads text that is known to be JSON for what parsing does not show. */
function surveyJson(text: string): JsonSurvey {
  let depth = 0;
  let deepest = 0;
  let members = 0;
  let hasInexactNumbers = false;
  for (let index = 0; index < text.length; index++) {
    switch (text[index]) {
      case '"':
        index = endOfString(text, index);
        break;
      case "{":
      case "[":
        depth += 1;
        deepest = Math.max(deepest, depth);
        break;
      case "}":
      case "]":
        depth -= 1;
        break;
      case ":":
        members += 1;
        break;
      case ",":
      case " ":
        break;
      default: {
        const end = endOfWord(text, index);
        hasInexactNumbers ||=
          isNumberStart(text.charCodeAt(index)) && !isExactInteger(text.slice(index, end));
        index = end - 1;
      }
    }
  }
  return { depth: deepest, members, hasInexactNumbers };
}

/** The index of the quotation mark that ends a string. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end;
}

function isEscaped(text: string, index: number): boolean {
  let backslashes = 0;
  while (text[index - 1 - backslashes] === "\\") backslashes += 1;
  return backslashes % 2 === 1;
}

/** The index after a number, `true`, `false`, `null` or white space. */
function endOfWord(text: string, start: number): number {
  let end = start + 1;
  while (end < text.length && !",]} \n\r\t".includes(text[end] ?? "")) end += 1;
  return end;
}

function isNumberStart(unit: number): boolean {
  return unit === 0x2d || (unit >= 0x30 && unit <= 0x39);
}

function countMembers(value: JsonValue): number {
  if (typeof value !== "object" || value === null) return 0;
  let members = 0;
  if (Array.isArray(value)) {
    for (const item of value) members += countMembers(item);
    return members;
  }
  for (const key of Object.keys(value)) members += 1 + countMembers(value[key] ?? null);
  return members;
}

const hasSurrogateEscape = /\\u[dD][89a-fA-F]/;

function assertWellFormed(value: JsonValue): void {
  if (typeof value === "string" && !value.isWellFormed()) {
    throw new StrictJsonError(
      "lone-surrogate",
      "A string holds half of a surrogate pair, which UTF-8 cannot express.",
    );
  }
  if (typeof value !== "object" || value === null) return;
  for (const [key, member] of Object.entries(value)) {
    assertWellFormed(key);
    assertWellFormed(member);
  }
}
