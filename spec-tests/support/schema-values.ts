import { Check } from "typebox/value";

/** A schema as the declarations have it: what typebox writes. */
export interface JsonSchema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly patternProperties?: Readonly<Record<string, JsonSchema>>;
  readonly minProperties?: number;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
}

/** A value with one thing wrong in it, and the place where. */
export interface WrongValue {
  readonly place: string;
  readonly value: unknown;
}

/** The smallest value that fits a schema: optional keys are left away, lists are empty. */
export function smallestValue(schema: JsonSchema): unknown {
  const [firstChoice] = schema.anyOf ?? [];
  if (firstChoice) return smallestValue(firstChoice);
  if (schema.enum) return schema.enum[0];
  if (schema.const !== undefined) return schema.const;
  if (schema.type === "object") return smallestObject(schema);
  return smallestPlainValue(schema);
}

function smallestPlainValue({ type, minimum }: JsonSchema): unknown {
  if (type === "string") return "x";
  if (type === "integer" || type === "number") return minimum ?? 0;
  if (type === "boolean") return false;
  if (type === "array") return [];
  if (type === "null") return null;
  return "anything";
}

function smallestObject({ properties = {}, required = [], ...schema }: JsonSchema): unknown {
  const keys = required.map((name) => [name, smallestValue(properties[name] ?? {})]);
  const [valueSchema] = Object.values(schema.patternProperties ?? {});
  const isOneNeeded = valueSchema && (schema.minProperties ?? 0) > 0;
  return Object.fromEntries(isOneNeeded ? [...keys, ["x", smallestValue(valueSchema)]] : keys);
}

const ofEveryType: readonly unknown[] = [5, "nonsense", true, null, [5], {}, -1, 1.5];

/** Values that do not fit a schema, each for one reason: a wrong type at one place, or a missing key. */
export function* wrongValues(schema: JsonSchema, place = ""): Generator<WrongValue> {
  const misfits = ofEveryType.filter((value) => !Check(schema, value));
  for (const value of misfits.slice(0, 2)) yield { place, value };
  if (schema.maxLength !== undefined) yield { place, value: "x".repeat(schema.maxLength + 1) };
  for (const inner of wrongParts(schema, place)) if (!Check(schema, inner.value)) yield inner;
}

function* wrongParts(schema: JsonSchema, place: string): Generator<WrongValue> {
  const { properties = {}, required = [], patternProperties = {}, items, anyOf = [] } = schema;
  const whole = schema.type === "object" ? (smallestObject(schema) as Record<string, unknown>) : {};
  for (const [name, property] of Object.entries(properties)) {
    for (const wrong of wrongValues(property, `${place}.${name}`)) {
      yield { place: wrong.place, value: { ...whole, [name]: wrong.value } };
    }
  }
  for (const name of required) {
    const { [name]: _missing, ...rest } = whole;
    yield { place: `${place}.${name} (missing)`, value: rest };
  }
  for (const property of Object.values(patternProperties)) {
    for (const wrong of wrongValues(property, `${place}.*`)) {
      yield { place: wrong.place, value: { ...whole, x: wrong.value } };
    }
  }
  if (items) {
    for (const wrong of wrongValues(items, `${place}[]`)) yield { place: wrong.place, value: [wrong.value] };
  }
  for (const choice of anyOf) yield* wrongParts(choice, place);
}

/** Longer texts do not fit into the first line of a request. */
const maxTextLength = 8_000;

/** Texts that, as query parameters, do not fit a schema. */
export function wrongTexts({ type, enum: choices, minimum, maxLength }: JsonSchema): string[] {
  if (type === "integer") {
    const tooSmall = minimum === undefined ? [] : [String(minimum - 1)];
    return ["nonsense", "", "1.5", "1e3", "0x10", " 1", "99999999999999999999", ...tooSmall];
  }
  if (type === "boolean") return ["nonsense", "", "1", "TRUE"];
  if (choices) return ["nonsense", ""];
  return maxLength !== undefined && maxLength < maxTextLength ? ["x".repeat(maxLength + 1)] : [];
}
