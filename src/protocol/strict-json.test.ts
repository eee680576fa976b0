import t from "tap";
import * as fc from "fast-check";
import { maxJsonDepth } from "./canonical-json.ts";
import { ProtocolError, StrictJsonError } from "./errors.ts";
import { isExactNumber } from "./exact-number.ts";
import { parseStrictJson } from "./strict-json.ts";

/** The reason for which text is refused. */
function refusal(source: string | Uint8Array): string | undefined {
  try {
    parseStrictJson(source);
    return undefined;
  } catch (error) {
    if (error instanceof StrictJsonError) return error.reason;
    throw error;
  }
}

t.test("JSON as any parser reads it", async (t) => {
  const texts = [
    '{"a":[1,-2,0,true,false,null,"x"],"b":{"c":{}}}',
    " [ 1 ,\t2 ,\n3 ,\r4 ] ",
    '"a \\" \\\\ \\u00e9 \\ud83d\\ude00 : , {"',
    '{"a\\"b":1,"a\\\\":2,"":3}',
    '["\\\\","\\\\\\\\",":{}[],"]',
    "12",
    '""',
    '{"a": 1, "b": {"a": 1}, "c": [{"a": 1}, {"a": 1}]}',
  ];
  for (const text of texts) {
    t.same(parseStrictJson(text), JSON.parse(text), text);
    t.same(parseStrictJson(Buffer.from(text)), JSON.parse(text), `${text} as bytes`);
  }
});

t.test("what is no JSON", async (t) => {
  for (const text of [
    "",
    "{",
    '{"a":1}x',
    '{"a":1}{}',
    "[1,]",
    "NaN",
    "01",
    "1.",
    "'a'",
    "\ufeff{}",
    '"\n"',
    '{"a":Infinity}',
  ]) {
    t.equal(refusal(text), "syntax", JSON.stringify(text));
  }
  t.equal(refusal(Buffer.from("\ufeff{}")), "syntax");
});

t.test("bytes that are not UTF-8", async (t) => {
  for (const hex of ["22ff22", "22c3", "22eda08022", "22c08022", "22f490808022"]) {
    t.equal(refusal(Buffer.from(hex, "hex")), "invalid-utf8", hex);
  }
});

t.test("duplicate keys", async (t) => {
  const texts = [
    '{"a":1,"a":1}',
    '[{"b":{"a":1,"\\u0061":2}}]',
    '{"__proto__":1,"__proto__":2}',
    '{"a":{"b":1},"a":{}}',
    '{"1":1,"1":2}',
  ];
  for (const text of texts) t.equal(refusal(text), "duplicate-key", text);
});

t.test("halves of surrogate pairs", async (t) => {
  for (const text of [
    '"\\ud800"',
    '"\\uDC00"',
    '{"\\uD83d":1}',
    '["\\ude00\\ud83d"]',
    '{"a":{"b":["\\udbff"]}}',
  ]) {
    t.equal(refusal(text), "lone-surrogate", text);
  }
  t.equal(refusal('"\\\\ud800"'), undefined, "a backslash before a `u` is no escape");
});

t.test(
  "numbers that a double does not hold exactly, or that are no integers, are kept as text",
  async (t) => {
    const sources = [
      "1.0",
      "1e3",
      "-0.5",
      "1E4",
      "9007199254740992",
      "-9007199254740993",
      "12345678901234567890",
    ];
    for (const source of sources) {
      const parsed = parseStrictJson(`{"a":[${source},1]}`);
      t.equal(JSON.stringify(parsed), `{"a":[${source},1]}`);
      t.equal(isExactNumber(parseStrictJson(source)), true, source);
    }
    for (const source of ["0", "-0", "9007199254740991", "-9007199254740991"]) {
      t.type(parseStrictJson(source), "number", source);
    }
    t.equal(refusal("[1e400]"), "number-out-of-range");
    t.equal(refusal(`[${"9".repeat(400)}]`), "number-out-of-range");
  },
);

t.test("nesting", async (t) => {
  const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
  t.equal(refusal(nested(maxJsonDepth)), undefined);
  t.equal(refusal(nested(maxJsonDepth + 1)), "too-deep");
  t.equal(refusal('{"a":'.repeat(maxJsonDepth + 1) + "1" + "}".repeat(maxJsonDepth + 1)), "too-deep");
  t.equal(refusal(nested(200_000)), "too-deep");
  t.equal(refusal("[".repeat(200_000)), "syntax");
});

t.test("`__proto__` is a key like any other", async (t) => {
  for (const text of ['{"__proto__":{"a":1}}', '{"__proto__":{"a":1.5},"b":null}']) {
    const parsed = parseStrictJson(text);
    t.equal(JSON.stringify(parsed), text);
    t.equal(Object.getPrototypeOf(parsed), Object.prototype);
  }
});

t.test("JSON that JavaScript writes is read back", async (t) => {
  const value = fc.jsonValue({ maxDepth: 3 });
  const property = fc.property(value, (original) => {
    const text = JSON.stringify(original);
    return JSON.stringify(parseStrictJson(text)) === text;
  });
  t.doesNotThrow(() => fc.assert(property), "for every value that was tried");
});

t.test("no text makes the parser throw anything but its own error", async (t) => {
  const tokens = fc.constantFrom(
    "{",
    "}",
    "[",
    "]",
    '"',
    ":",
    ",",
    "\\",
    "1",
    "-",
    ".",
    "e",
    "\\ud800",
    "null",
    " ",
    "\0",
    "é",
  );
  const mutated = fc
    .tuple(fc.json(), fc.nat(), fc.string({ unit: tokens, maxLength: 3 }))
    .map(
      ([text, at, insert]) =>
        text.slice(0, at % (text.length + 1)) + insert + text.slice(at % (text.length + 1)),
    );
  const property = fc.property(fc.oneof(mutated, fc.string({ unit: tokens }), fc.uint8Array()), (source) => {
    try {
      parseStrictJson(source);
    } catch (error) {
      return error instanceof ProtocolError;
    }
    return true;
  });
  t.doesNotThrow(() => fc.assert(property, { numRuns: 500 }), "for every text that was tried");
});
