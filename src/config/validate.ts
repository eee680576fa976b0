import { accessSync, constants } from "node:fs";
import { resolve } from "node:path";
import { nearest } from "./nearest.ts";
import { rules } from "./rules.ts";
import type { ConfigSchema } from "./schema.ts";
import { isAsSchemaSays } from "./single-value.ts";

/** Where a value is in the configuration: `["listeners", 0, "port"]`. */
export type ConfigPath = readonly (string | number)[];

/** Something wrong: a sentence's end that follows on the place where the value stands. */
export interface Problem {
  readonly path: ConfigPath;
  readonly text: string;
}

/** `["listeners", 0, "port"]` as people write it: `listeners[0].port`. */
export function pathName(path: ConfigPath): string {
  return path
    .map((part, index) => (typeof part === "number" ? `[${part}]` : index === 0 ? part : `.${part}`))
    .join("");
}

/** The part of a schema that says what a value has to be where it may also be null. */
export function withoutNull(schema: ConfigSchema): ConfigSchema {
  return schema.anyOf?.find((branch) => branch.type !== "null") ?? schema;
}

/**
 * Checks values against the schema, in one pass that finds every problem.
 *
 * @param given what the file and the environment say: plain JSON
 * @param folder absolute; relative paths are resolved against it
 * @returns the values with defaults and absolute paths, only to be used when there are no problems
 */
export function validate(
  root: ConfigSchema,
  given: unknown,
  folder: string,
): { value: unknown; problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const allKeys = [...keyNames(root)];

  function check(schema: ConfigSchema, value: unknown, path: ConfigPath): unknown {
    if (value === null && schema.anyOf?.some((branch) => branch.type === "null")) return null;
    const type = withoutNull(schema);
    if (type.properties) return checkGroup(type, type.properties, value, path);
    if (type.items) return checkList(type, type.items, value, path);
    return checkSingle(type, value, path);
  }

  function checkGroup(
    schema: ConfigSchema,
    properties: Readonly<Record<string, ConfigSchema>>,
    value: unknown,
    path: ConfigPath,
  ): unknown {
    // A group whose keys are all commented out is null in YAML.
    const entries = value ?? {};
    if (!isGroup(entries)) {
      problems.push({ path, text: `has to be a group of keys (${Object.keys(properties).join(", ")})` });
      return undefined;
    }
    for (const key of Object.keys(entries)) {
      if (!Object.hasOwn(properties, key))
        problems.push(unknownKey(key, path, Object.keys(properties), allKeys));
    }
    const complete: Record<string, unknown> = {};
    for (const [key, property] of Object.entries(properties)) {
      const isGiven = Object.hasOwn(entries, key);
      if (!isGiven && property.default === undefined && !property.properties) {
        if (schema.required?.includes(key)) problems.push({ path: [...path, key], text: "is missing" });
        continue;
      }
      if (!isGiven && !schema.required?.includes(key)) continue;
      complete[key] = check(property, isGiven ? entries[key] : structuredClone(property.default), [
        ...path,
        key,
      ]);
    }
    return complete;
  }

  function checkList(schema: ConfigSchema, items: ConfigSchema, value: unknown, path: ConfigPath): unknown {
    if (!Array.isArray(value)) {
      problems.push({ path, text: "has to be a list" });
      return undefined;
    }
    const { minItems = 0, maxItems = Number.POSITIVE_INFINITY } = schema;
    if (value.length < minItems) problems.push({ path, text: `needs at least ${minItems} entry` });
    if (value.length > maxItems) problems.push({ path, text: `has more than ${maxItems} entries` });
    if (schema.uniqueItems && new Set(value).size < value.length) {
      problems.push({ path, text: "names one thing twice" });
    }
    return value.map((item: unknown, index) => check(items, item, [...path, index]));
  }

  function checkSingle(schema: ConfigSchema, value: unknown, path: ConfigPath): unknown {
    const rule = schema.rule && rules[schema.rule];
    if (!isAsSchemaSays(schema, value) || (rule && !(typeof value === "string" && rule.accepts(value)))) {
      const found = schema.secret ? "" : `, not ${JSON.stringify(value)}`;
      problems.push({ path, text: `has to be ${rule?.expected ?? expected(schema)}${found}` });
      return undefined;
    }
    if (!schema.path || typeof value !== "string") return value;
    const absolute = resolve(folder, value);
    if (schema.path === "file" && !isReadable(absolute)) {
      problems.push({ path, text: `names the file ${absolute}, which does not exist or cannot be read` });
    }
    return absolute;
  }

  return { value: check(root, given, []), problems };
}

function isGroup(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Every key of the schema that is not within a list, as a path's name. */
export function* keyNames(schema: ConfigSchema, path: ConfigPath = []): Generator<string> {
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    yield pathName([...path, key]);
    yield* keyNames(property, [...path, key]);
  }
}

function unknownKey(
  key: string,
  path: ConfigPath,
  siblings: readonly string[],
  allKeys: readonly string[],
): Problem {
  const sibling = nearest(key, siblings);
  const meant = sibling
    ? pathName([...path, sibling])
    : // The right word at the wrong depth, such as a top-level `mode`.
      (allKeys.find((name) => name.endsWith(`.${key}`) || name === key) ??
      nearest(pathName([...path, key]), allKeys));
  const hint = meant ? `did you mean ${meant}?` : `the keys here are ${siblings.join(", ")}`;
  return { path: [...path, key], text: `is not a key of the configuration; ${hint}` };
}

/** What a value has to be, as the end of "KEY has to be …". */
function expected(schema: ConfigSchema): string {
  if (schema.enum) return `one of ${schema.enum.map((value) => JSON.stringify(value)).join(", ")}`;
  const { minimum, maximum } = schema;
  const range = minimum === undefined || maximum === undefined ? "" : ` from ${minimum} to ${maximum}`;
  switch (schema.type) {
    case "boolean":
      return "true or false";
    case "integer":
      return `a whole number${range}`;
    case "number":
      return `a number${range}`;
    case "object":
      return "a group of keys";
    case "string":
      return "a text that is not empty (numbers need quotes)";
    default:
      throw new TypeError(`No words for the type ${String(schema.type)} of the configuration's schema.`);
  }
}

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
