import t from "tap";
import * as fc from "fast-check";
import { walk } from "canonical-json";
import {
  canonicalJsonBytes,
  compareCodePoints,
  encodeCanonicalJson,
  maxJsonDepth,
} from "./canonical-json.ts";
import { CanonicalJsonError } from "./errors.ts";
import { parseStrictJson } from "./strict-json.ts";
import { specVectors } from "./testing/spec-vectors.ts";

const strict = { strict: true };
const lenient = { strict: false };

/** The reason for which a value is refused. */
function refusal(value: unknown, options = strict): string | undefined {
  try {
    encodeCanonicalJson(value, options);
    return undefined;
  } catch (error) {
    if (error instanceof CanonicalJsonError) return error.reason;
    throw error;
  }
}

interface Example {
  input_text: string;
  canonical: string;
  canonical_utf8_hex: string;
}
interface Vectors {
  examples: Example[];
  derived_examples: Example[];
  must_reject_from_room_version_6: { json: string; why: string }[];
}
const vectors = specVectors<Vectors>("canonical_json");

t.test("the specification's vectors", { skip: vectors.skip }, async (t) => {
  const { examples, derived_examples: derived, must_reject_from_room_version_6: rejects } = vectors.read();
  for (const { input_text: input, canonical, canonical_utf8_hex: hex } of [...examples, ...derived]) {
    const value = parseStrictJson(input);
    t.equal(encodeCanonicalJson(value, lenient), canonical);
    t.equal(canonicalJsonBytes(value, lenient).toString("hex"), hex);
  }
  for (const { json, why } of rejects) {
    t.throws(() => encodeCanonicalJson(parseStrictJson(json), strict), why);
  }
});

t.test("the examples of the specification", async (t) => {
  const examples: [value: unknown, canonical: string][] = [
    [{}, "{}"],
    [{ two: "Two", one: 1 }, '{"one":1,"two":"Two"}'],
    [{ 本: 2, 日: 1 }, '{"日":1,"本":2}'],
    [{ a: "\u65e5" }, '{"a":"日"}'],
    [{ a: null }, '{"a":null}'],
    [{ a: -0, b: 1e10 }, '{"a":0,"b":10000000000}'],
  ];
  for (const [value, canonical] of examples) t.equal(encodeCanonicalJson(value, strict), canonical);
});

t.test("keys", async (t) => {
  t.equal(
    encodeCanonicalJson({ "\ufb33": 1, "\u{1f600}": 2, a: 0 }, strict),
    '{"a":0,"\ufb33":1,"\u{1f600}":2}',
  );
  t.equal(encodeCanonicalJson({ "\u{1f600}": 2, "\ufb33": 1 }, strict), '{"\ufb33":1,"\u{1f600}":2}');
  t.equal(encodeCanonicalJson({ b: 1, 10: 2, 9: 3, "": 4 }, strict), '{"":4,"10":2,"9":3,"b":1}');
  t.equal(encodeCanonicalJson({ aa: 1, a: 2 }, strict), '{"a":2,"aa":1}');
  const text = '{"__proto__":{"a":1},"constructor":2,"toJSON":3}';
  t.equal(encodeCanonicalJson(JSON.parse(text), strict), text);
});

t.test("strings", async (t) => {
  const control = '\0\u0001\b\t\n\u000b\f\r\u001f\u007f"\\/\u2028';
  t.equal(
    encodeCanonicalJson(control, strict),
    '"\\u0000\\u0001\\b\\t\\n\\u000b\\f\\r\\u001f\u007f\\"\\\\/\u2028"',
  );
  t.equal(refusal("\ud800"), "lone-surrogate");
  t.equal(refusal("a\udc00b", lenient), "lone-surrogate");
  t.equal(refusal({ "\ud800": 1 }), "lone-surrogate");
});

t.test("numbers", async (t) => {
  const limit = Number.MAX_SAFE_INTEGER;
  t.equal(encodeCanonicalJson([limit, -limit], strict), "[9007199254740991,-9007199254740991]");
  t.equal(refusal(limit + 1), "integer-out-of-range");
  t.equal(refusal(-limit - 1), "integer-out-of-range");
  t.equal(refusal(1.5), "not-an-integer");
  t.equal(refusal(1e300), "not-an-integer");
  t.equal(refusal(Number.NaN, lenient), "not-json");
  t.equal(refusal(Number.POSITIVE_INFINITY, lenient), "not-json");
  t.equal(encodeCanonicalJson([50.57, 5e-324], lenient), "[50.57,5e-324]");
});

t.test("numbers kept as text", async (t) => {
  const text = '{"a":1.0,"b":9007199254740993,"c":[-1.50,1E-5]}';
  t.equal(encodeCanonicalJson(parseStrictJson(text), lenient), text);
  t.equal(
    encodeCanonicalJson(parseStrictJson("[1e3,-1E+2,1e15,1e16,-0e1]"), lenient),
    "[1000,-100,1000000000000000,1e16,0]",
  );
  t.equal(refusal(parseStrictJson("9007199254740993")), "integer-out-of-range");
  t.equal(refusal(parseStrictJson("[1.0]")), "not-an-integer");
  t.equal(refusal(parseStrictJson('{"a":1e3}')), "not-an-integer");
  t.equal(
    encodeCanonicalJson({ rawJSON: "1" }, strict),
    '{"rawJSON":"1"}',
    "which no ordinary object counterfeits",
  );
});

t.test("what is not JSON", async (t) => {
  const cycle: unknown[] = [];
  cycle.push(cycle);
  const values = [
    undefined,
    () => 1,
    Symbol("a"),
    1n,
    new Date(0),
    new Map(),
    new Uint8Array(1),
    [undefined],
    { a: undefined },
  ];
  for (const value of values) t.equal(refusal(value), "not-json");
  t.equal(refusal(Array.from({ length: 2 })), "not-json");
  t.equal(refusal(cycle), "too-deep");
  const deepest: unknown = JSON.parse("[".repeat(maxJsonDepth) + "]".repeat(maxJsonDepth));
  t.equal(refusal(deepest), undefined);
  t.equal(refusal([deepest]), "too-deep");
});

/** Strings of all code points but surrogates, those on both sides of the surrogates often. */
const anyString = fc.string({
  unit: fc
    .oneof(
      fc.nat(0x7f),
      fc.integer({ min: 0xe000, max: 0xffff }),
      fc.integer({ min: 0x10000, max: 0x10ffff }),
    )
    .map((codePoint) => String.fromCodePoint(codePoint)),
});

/** JSON whose numbers are integers, with keys and strings of all code points but surrogates. */
const integerJson = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom(null, true, false),
    fc.maxSafeInteger(),
    anyString,
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(fc.oneof(anyString, fc.constantFrom("__proto__", "0", "10", "9")), tie("value"), {
      maxKeys: 6,
      noNullPrototype: true,
    }),
  ),
})).value;

t.test("the walker of the canonical-json package agrees", async (t) => {
  const property = fc.property(integerJson, (value) => {
    let walked = "";
    walk(value, (chunk) => (walked += chunk), compareCodePoints);
    return encodeCanonicalJson(value, strict) === walked;
  });
  t.doesNotThrow(() => fc.assert(property), "for every value that was tried");
});

t.test("canonical JSON is the same JSON, and its own canonical JSON", async (t) => {
  fc.assert(
    fc.property(integerJson, (value) => {
      const text = encodeCanonicalJson(value, strict);
      const parsed: unknown = JSON.parse(text);
      t.same(parsed, JSON.parse(JSON.stringify(value)));
      return encodeCanonicalJson(parsed, strict) === text;
    }),
  );
});

t.test("code points give the order", async (t) => {
  const text = fc.string({
    unit: fc.constantFrom("a", "b", "\ud7ff", "\ue000", "\uffff", "\u{10000}", "\u{10ffff}"),
  });
  const property = fc.property(text, text, (left, right) => {
    const byUtf8 = Buffer.compare(Buffer.from(left), Buffer.from(right));
    return Math.sign(compareCodePoints(left, right)) === byUtf8;
  });
  t.doesNotThrow(() => fc.assert(property), "as the order of their UTF-8 does");
});

t.test("no value makes the encoder throw anything but its own error", async (t) => {
  const property = fc.property(
    fc.anything({ withBigInt: true, withDate: true, withMap: true, withTypedArray: true }),
    (value) => {
      refusal(value);
      refusal(value, lenient);
    },
  );
  t.doesNotThrow(() => fc.assert(property), "for every value that was tried");
});
