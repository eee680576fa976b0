import type { ConfigSchema } from "./schema.ts";

/**
 * Whether a value is what the schema of a single key says, as JSON Schema has it: as much of it as the configuration's
 * schema needs of it. All of it would have to be loaded at each start.
 * @throws TypeError for a schema of another type
 */
export function isAsSchemaSays(schema: ConfigSchema, value: unknown): boolean {
  if (schema.enum) return schema.enum.includes(value);
  switch (schema.type) {
    case "boolean":
      return typeof value === "boolean";
    case "integer":
      return Number.isInteger(value) && isInRange(schema, Number(value));
    case "number":
      return Number.isFinite(value) && isInRange(schema, Number(value));
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    case "string":
      return typeof value === "string" && isAsPatternSays(schema, value);
    default:
      throw new TypeError(`No check for the type ${String(schema.type)} of the configuration's schema.`);
  }
}

function isInRange({ minimum = -Infinity, maximum = Infinity }: ConfigSchema, value: number): boolean {
  return value >= minimum && value <= maximum;
}

function isAsPatternSays({ minLength = 0, pattern }: ConfigSchema, value: string): boolean {
  return value.length >= minLength && (pattern === undefined || new RegExp(pattern, "u").test(value));
}
