import { isJsonObject, type JsonObject, type JsonValue } from "../protocol/json.ts";

/** Has to hold for the claims of whoever signs in. */
export interface AttributeRequirement {
  readonly claim: string;
  /** One of them has to be the claim's value, or in its list. An empty list takes any value. */
  readonly values: readonly string[];
}

/** A claim by its name, which is tried whole first: names may have dots. Otherwise dots lead into objects. */
function claimOf(claims: JsonObject, name: string): JsonValue | undefined {
  if (Object.hasOwn(claims, name)) return claims[name];
  let found: JsonValue | undefined = claims;
  for (const part of name.split(".")) {
    if (!isJsonObject(found) || !Object.hasOwn(found, part)) return undefined;
    found = found[part];
  }
  return found;
}

const filters: Readonly<Record<string, (text: string) => string>> = {
  localpart: (text) => text.split("@")[0] ?? "",
  lowercase: (text) => text.toLowerCase(),
};

/**
 * A template with the values of claims in place of `{name}`; `{name|localpart}` is what is before the first @.
 * @returns `undefined` when a claim is missing or no text, number or boolean, or when nothing is left
 */
export function fillTemplate(template: string, claims: JsonObject): string | undefined {
  let isComplete = true;
  const text = template.replaceAll(/\{([^{}|]+)(?:\|([a-z]+))?\}/g, (_all, name: string, filter?: string) => {
    const value = claimOf(claims, name.trim());
    if (typeof value === "object" || value === undefined || value === "") {
      isComplete = false;
      return "";
    }
    const change = filter === undefined ? undefined : filters[filter];
    return change ? change(String(value)) : String(value);
  });
  return isComplete && text.trim() !== "" ? text.trim() : undefined;
}

/** Whether a template has filters only that there are. */
export function isTemplate(text: string): boolean {
  return [...text.matchAll(/\{[^{}|]+\|([^{}]*)\}/g)].every(([, filter = ""]) =>
    Object.hasOwn(filters, filter),
  );
}

/** Whether everything holds that is required of somebody's claims. */
export function meetsAll(claims: JsonObject, requirements: readonly AttributeRequirement[]): boolean {
  return requirements.every(({ claim, values }) => {
    const value = claimOf(claims, claim);
    if (value === undefined || value === null) return false;
    const given = (Array.isArray(value) ? value : [value]).map(String);
    return values.length === 0 || given.some((item) => values.includes(item));
  });
}
