import type * as typebox from "typebox";

type Builder =
  | "Array"
  | "Boolean"
  | "Enum"
  | "Integer"
  | "Literal"
  | "Null"
  | "Number"
  | "Object"
  | "Optional";
type Builders = Pick<typeof typebox.Type, Builder | "Record" | "String" | "Union" | "Unknown" | "Unsafe">;

/** Marks what may be left away of an object. A symbol, as it is no keyword of JSON Schema. */
const mayBeMissing = Symbol("may be missing");

interface Schema {
  readonly [keyword: string]: unknown;
  readonly [mayBeMissing]?: true;
}

const builders = {
  Array: (items: Schema, options?: Schema) => ({ type: "array", items, ...options }),
  Boolean: (options?: Schema) => ({ type: "boolean", ...options }),
  Enum: (values: readonly unknown[], options?: Schema) => ({ enum: values, ...options }),
  Integer: (options?: Schema) => ({ type: "integer", ...options }),
  Literal: (value: unknown, options?: Schema) => ({ type: typeof value, const: value, ...options }),
  Null: (options?: Schema) => ({ type: "null", ...options }),
  Number: (options?: Schema) => ({ type: "number", ...options }),
  Object: (properties: Readonly<Record<string, Schema>>, options?: Schema) => {
    const required = Object.keys(properties).filter((key) => !properties[key]?.[mayBeMissing]);
    return { type: "object", ...(required.length > 0 && { required }), properties, ...options };
  },
  Optional: (schema: Schema) => ({ ...schema, [mayBeMissing]: true }),
  Record: ({ pattern = "^.*$" }: Schema, value: Schema, options?: Schema) => ({
    type: "object",
    patternProperties: { [String(pattern)]: value },
    ...options,
  }),
  String: (options?: Schema) => ({ type: "string", ...options }),
  Union: (anyOf: readonly Schema[], options?: Schema) => ({ anyOf, ...options }),
  Unknown: (options?: Schema) => ({ ...options }),
  Unsafe: (schema: Schema) => schema,
};

/**
 * Describes JSON by JSON Schema, of which the types of values follow. It is as much of typebox's `Type` as is used here,
 * with typebox's types: the whole of it takes 0.1 s and 18 MiB to load, for a few objects of a few keys.
 */
export const Type = builders as unknown as Builders;
