import type { TObject, TSchema } from "typebox";
import { MatrixError } from "../protocol/matrix-error.ts";
import { CompiledSchema } from "../schema/compiled-schema.ts";

/** Checks values against a schema in place: nothing is copied, dropped or filled in. */
export class Checker {
  readonly #schema: CompiledSchema<TSchema>;
  readonly #errcode: "M_BAD_JSON" | "M_INVALID_PARAM";

  constructor(schema: TSchema, errcode: "M_BAD_JSON" | "M_INVALID_PARAM") {
    this.#schema = new CompiledSchema(schema);
    this.#errcode = errcode;
  }

  /** @throws MatrixError that names the first fault: M_MISSING_PARAM for a missing key, else the checker's own code. */
  check(value: unknown): void {
    if (this.#schema.accepts(value)) return;
    const fault = this.#schema.faultOf(value);
    if (!fault) throw new MatrixError(this.#errcode, "The request is not as it should be");
    if (fault.keyword === "required") {
      const missing = fault.params.requiredProperties.join(", ");
      const place = fault.instancePath === "" ? "" : ` in ${fault.instancePath}`;
      throw new MatrixError(
        this.#errcode === "M_BAD_JSON" ? "M_BAD_JSON" : "M_MISSING_PARAM",
        `Missing ${missing}${place}`,
      );
    }
    const place = fault.instancePath === "" ? "The request body" : fault.instancePath;
    throw new MatrixError(this.#errcode, `${place} ${fault.message}`);
  }
}

/** What a query parameter's text becomes, as its schema says. */
type Conversion = (text: string) => unknown;

/** Reads query parameters by a schema of strings, integers, booleans and lists of strings. */
export class QueryReader {
  readonly #conversions: ReadonlyMap<string, { convert: Conversion; repeated: boolean }>;
  readonly #checker: Checker;

  constructor(schema: TObject) {
    this.#checker = new Checker(schema, "M_INVALID_PARAM");
    this.#conversions = new Map(
      Object.entries(schema.properties).map(([name, property]) => [
        name,
        { convert: conversionOf(property), repeated: typeOf(property) === "array" },
      ]),
    );
  }

  /** @throws MatrixError M_INVALID_PARAM, M_MISSING_PARAM. */
  read(search: string): Record<string, unknown> {
    const given = new URLSearchParams(search);
    const query: Record<string, unknown> = {};
    for (const [name, { convert, repeated }] of this.#conversions) {
      if (!given.has(name)) continue;
      query[name] = repeated ? given.getAll(name) : convert(given.get(name) ?? "");
    }
    this.#checker.check(query);
    return query;
  }
}

function typeOf(schema: TSchema): unknown {
  return "type" in schema ? schema.type : undefined;
}

/** Text that does not fit stays text, for the schema's check to name it. */
function conversionOf(schema: TSchema): Conversion {
  const type = typeOf(schema);
  if (type === "integer" || type === "number")
    return (text) => (/^-?\d{1,15}$/.test(text) ? Number(text) : text);
  if (type === "boolean") return (text) => (text === "true" ? true : text === "false" ? false : text);
  return (text) => text;
}
