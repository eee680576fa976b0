/** Plain JSON values, as Matrix events carry them. Numbers are integers wherever canonical JSON is required. */
export type JsonValue = null | boolean | number | string | JsonValue[] | JsonObject;

export interface JsonObject {
  [key: string]: JsonValue;
}

/** Whether a value is a JSON object; a number kept as text (see exact-number.ts) is none. */
export function isJsonObject(value: unknown): value is JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  // Asking for the prototype first is quicker: nearly every object has one, and raw JSON never has.
  return Object.getPrototypeOf(value) !== null || !JSON.isRawJSON(value);
}
