import { isJsonObject } from "./json.ts";
import type { JsonValue } from "./json.ts";

/**
 * Splits the dot-separated path of a property into the names that it goes through.
 * `\.` and `\\` stand for a dot and a backslash in a name; any other backslash is itself.
 * Specification: appendices, "Dot-separated property paths".
 *
 * @returns one name or more: `content.m\.relates_to` gives `["content", "m.relates_to"]`
 */
export function parsePropertyPath(path: string): string[] {
  const names: string[] = [];
  let name = "";
  for (let index = 0; index < path.length; index++) {
    const character = path.charAt(index);
    if (character === ".") {
      names.push(name);
      name = "";
      continue;
    }
    const next = path.charAt(index + 1);
    const isEscape = character === "\\" && (next === "." || next === "\\");
    name += isEscape ? next : character;
    if (isEscape) index++;
  }
  return [...names, name];
}

/**
 * The value that a path of names leads to, or `undefined` when there is none.
 * Only an object's own properties count, and arrays are not entered.
 */
export function propertyAt(value: JsonValue, names: readonly string[]): JsonValue | undefined {
  let current: JsonValue | undefined = value;
  for (const name of names) {
    if (!isJsonObject(current) || !Object.hasOwn(current, name)) return undefined;
    current = current[name];
  }
  return current;
}
