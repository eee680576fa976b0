import t from "tap";
import { Value } from "typebox/value";
import { type ConfigSchema, configSchema } from "./schema.ts";
import { isAsSchemaSays } from "./single-value.ts";
import { validate, withoutNull } from "./validate.ts";

/** The schemas of all single keys, by their paths. */
function* singleKeys(schema: ConfigSchema, path: string): Generator<[path: string, schema: ConfigSchema]> {
  const inner = withoutNull(schema);
  if (inner.items) yield* singleKeys(inner.items, `${path}[]`);
  else if (inner.properties) {
    for (const [key, property] of Object.entries(inner.properties))
      yield* singleKeys(property, `${path}.${key}`);
  } else yield [path, inner];
}

const texts = ["", "a", " ", "ed25519:a_1", "ed25519:", "A".repeat(43), `${"A".repeat(43)}=`, "A".repeat(44)];
const others = [
  true,
  false,
  null,
  undefined,
  0,
  -1,
  1.5,
  1e300,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  {},
  [],
];

t.test("single values are checked as typebox does", async (t) => {
  const keys = [...singleKeys(configSchema, "")];
  t.ok(keys.length > 100);
  for (const [path, schema] of keys) {
    const { minimum = 0, maximum = 0 } = schema;
    const limits = [minimum - 1, minimum, minimum + 0.5, maximum, maximum + 1];
    for (const value of [...texts, ...others, ...limits, ...(schema.enum ?? []), { a: 1 }]) {
      const found = isAsSchemaSays(schema, value);
      if (found !== Value.Check(schema, value)) t.fail(`${path}: ${String(value)} is ${found}`);
    }
  }
});

t.test("every schema of a single key has only what is checked", async (t) => {
  const checked = new Set([
    "type",
    "enum",
    "minimum",
    "maximum",
    "minLength",
    "pattern",
    "patternProperties",
  ]);
  const notChecked = new Set(["description", "default", "path", "secret", "rule", "example"]);
  for (const [path, schema] of singleKeys(configSchema, "")) {
    const unknown = Object.keys(schema).filter((key) => !checked.has(key) && !notChecked.has(key));
    t.strictSame(unknown, [], path);
  }
});

/** `{ a: { b: value } }` for "a.b". */
function nested(path: string, value: unknown): unknown {
  return path.split(".").reduceRight((inner, key) => ({ [key]: inner }), value);
}

t.test("a configuration that has no problems is what the schema says", async (t) => {
  const paths = [...singleKeys(configSchema, "")].map(([path]) => path.replace(/\[\].*/, "").slice(1));
  let passed = 0;
  for (const path of new Set(paths)) {
    for (const given of [...others, "a", ["a"], [1], [{}], { a: 1 }]) {
      const { value, problems } = validate(configSchema, nested(path, given), "/");
      if (problems.length > 0) continue;
      passed += 1;
      if (!Value.Check(configSchema, value)) t.fail(`${path}: ${JSON.stringify(given)} passes`);
    }
  }
  t.ok(passed > 100, `${passed} have passed`);
});

t.throws(() => isAsSchemaSays({ type: "array" }, []), TypeError);
