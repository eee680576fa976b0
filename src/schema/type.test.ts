import t from "tap";
import { Type as Full } from "typebox";
import { Compile } from "typebox/compile";
import { CompiledSchema } from "./compiled-schema.ts";
import { Type } from "./type.ts";

/** The same schema made by either. */
function schemasOf(make: (type: typeof Type) => object): [own: object, typebox: object] {
  return [make(Type), make(Full)];
}

t.test("schemas are those that typebox makes", async (t) => {
  const options = { description: "words", rule: "of our own", default: 1 };
  const schemas = [
    schemasOf((type) => type.Array(type.String(), { maxItems: 3 })),
    schemasOf((type) => type.Boolean(options)),
    schemasOf((type) => type.Enum(["a", "b"], options)),
    schemasOf((type) => type.Integer({ minimum: 1, ...options })),
    schemasOf((type) => type.Literal("a")),
    schemasOf((type) => type.Literal(1, options)),
    schemasOf((type) => type.Null(options)),
    schemasOf((type) => type.Number()),
    schemasOf((type) => type.Object({})),
    schemasOf((type) => type.Object({ a: type.Optional(type.Null()) }, options)),
    schemasOf((type) => {
      const inner = type.Optional(type.Object({ a: type.String(), b: type.Optional(type.String()) }));
      return type.Object({ inner, other: type.Unsafe<string>(type.Optional(type.Unknown(options))) });
    }),
    schemasOf((type) => type.Record(type.String(), type.Unknown(), options)),
    schemasOf((type) => type.Record(type.String({ pattern: "^a" }), type.Integer())),
    schemasOf((type) => type.Union([type.String(options), type.Null()], options)),
    schemasOf((type) => type.Unsafe<string>({ type: "string" })),
  ];
  for (const [own, typebox] of schemas) {
    t.strictSame(JSON.parse(JSON.stringify(own)), JSON.parse(JSON.stringify(typebox)));
  }
});

t.test("faults are those that typebox finds", async (t) => {
  const schema = Type.Object({
    a: Type.String({ minLength: 1 }),
    b: Type.Optional(Type.Integer({ minimum: 1 })),
  });
  const full = Compile(schema);
  const compiled = new CompiledSchema(schema);
  for (const value of [{ a: "x" }, { a: "x", b: 1 }]) {
    t.ok(compiled.accepts(value));
    t.equal(compiled.faultOf(value), undefined);
  }
  for (const value of [{}, { a: "" }, { a: 1 }, { a: "x", b: 0 }, { a: "x", b: 1.5 }, [], null, "x"]) {
    t.notOk(compiled.accepts(value));
    t.strictSame(compiled.faultOf(value), full.Errors(value)[0]);
  }
});
