import type { Static, TSchema } from "typebox";
import { Compile, type Validator } from "typebox/schema";

/** The first thing that is wrong with a value. */
export type Fault = ReturnType<Validator["Errors"]>[1][number];

/** A schema that values are checked against. It is compiled at its first use. */
export class CompiledSchema<Schema extends TSchema> {
  readonly #schema: Schema;
  #validator: Validator | undefined;

  constructor(schema: Schema) {
    this.#schema = schema;
  }

  /** Nothing is copied, dropped or filled in. */
  accepts(value: unknown): value is Static<Schema> {
    return this.#compiled().Check(value);
  }

  /** @returns what is wrong with a value; `undefined` when nothing is */
  faultOf(value: unknown): Fault | undefined {
    return this.#compiled().Errors(value)[1][0];
  }

  #compiled(): Validator {
    this.#validator ??= Compile(this.#schema);
    return this.#validator;
  }
}
