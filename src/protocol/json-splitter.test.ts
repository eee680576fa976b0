import { deepStrictEqual } from "node:assert/strict";
import fc from "fast-check";
import t from "tap";
import { StrictJsonError } from "./errors.ts";
import { JsonSplitter } from "./json-splitter.ts";

const listNames = ["state", "chain"];
const keptNames = ["event", "origin"];

/** What a splitter makes of a text that comes in chunks. */
function split(chunks: readonly Uint8Array[], maxValueBytes = 10_000): Record<string, unknown> {
  const lists: Record<string, unknown[]> = { state: [], chain: [] };
  const splitter = new JsonSplitter({
    lists: new Set(listNames),
    kept: new Set(keptNames),
    maxValueBytes,
    onItem: (list, text) => lists[list]?.push(JSON.parse(text.toString())),
  });
  for (const chunk of chunks) splitter.push(chunk);
  const kept = [...splitter.end()].map(([key, text]) => [key, JSON.parse(text.toString())] as const);
  return { ...lists, ...Object.fromEntries(kept) };
}

function expected(object: Record<string, unknown>): Record<string, unknown> {
  const kept = keptNames
    .filter((key) => Object.hasOwn(object, key))
    .map((key) => [key, object[key]] as const);
  return { state: object["state"] ?? [], chain: object["chain"] ?? [], ...Object.fromEntries(kept) };
}

const list = fc.array(fc.jsonValue(), { maxLength: 5 });
const answers = fc.record(
  {
    state: list,
    chain: list,
    event: fc.jsonValue(),
    origin: fc.string(),
    other: fc.jsonValue(),
    'odd"\\key': fc.jsonValue(),
  },
  { requiredKeys: [] },
);
const spaces = fc.constantFrom(undefined, 1, "\t");

t.test("an object comes out as JSON.parse has it, wherever its text is cut in two", async (t) => {
  let cuts = 0;
  fc.assert(
    fc.property(answers, spaces, (answer, space) => {
      const text = Buffer.from(JSON.stringify(answer, undefined, space));
      const wanted = expected(JSON.parse(text.toString()) as Record<string, unknown>);
      for (let cut = 0; cut <= text.length; cut++, cuts++) {
        deepStrictEqual(split([text.subarray(0, cut), text.subarray(cut)]), wanted);
      }
      deepStrictEqual(split([...text].map((byte) => Buffer.of(byte))), wanted);
    }),
    { numRuns: 20 },
  );
  t.ok(cuts > 1_000, `${cuts} cuts`);
});

t.test("what breaks off or is spoilt is refused, or comes out as something that is JSON", async (t) => {
  let refused = 0;
  fc.assert(
    fc.property(answers, fc.nat(), fc.nat({ max: 255 }), (answer, place, byte) => {
      const text = Buffer.from(JSON.stringify(answer));
      const cut = place % text.length;
      if (!fails(text.subarray(0, cut))) throw new Error(`taken without its end: ${text.toString()}`);
      const spoilt = Buffer.from(text);
      spoilt[cut] = byte;
      if (fails(spoilt)) refused += 1;
    }),
  );
  t.ok(refused > 10, `${refused} were refused`);
});

function fails(text: Uint8Array): boolean {
  try {
    split([text]);
    return false;
  } catch (error) {
    if (error instanceof StrictJsonError || error instanceof SyntaxError) return true;
    throw error;
  }
}

t.test("what is no object of values, and what stands in it twice", async (t) => {
  const texts = [
    "",
    "[]",
    "{,}",
    '{"a"}',
    '{"a":}',
    '{"a":1,}',
    '{"state":[,]}',
    '{"state":[1,]}',
    "{}{}",
    "{1:2}",
  ];
  for (const text of texts) t.ok(fails(Buffer.from(text)), text);
  t.ok(fails(Buffer.from('{"state":[],"state":[]}')));
  t.ok(fails(Buffer.from('{"event":1,"event":2}')));
  t.same(split([Buffer.from(' { "other" : [ "}" ] , "state" : [ ] } \n')]), { state: [], chain: [] });
});

t.test("items, kept members and keys are no longer than they may be; others may be", async (t) => {
  const long = "x".repeat(100);
  for (const text of [`{"state":["${long}"]}`, `{"event":"${long}"}`]) {
    t.throws(() => split([Buffer.from(text)], 50), StrictJsonError);
    t.doesNotThrow(() => split([Buffer.from(text)], 200));
  }
  t.same(split([Buffer.from(`{"other":"${long}","state":[1]}`)], 50), { state: [1], chain: [] });
  t.throws(() => split([Buffer.from(`{"${long.repeat(20)}":1}`)]), StrictJsonError);
});
