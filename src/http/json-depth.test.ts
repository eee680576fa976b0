import t from "tap";
import { isNestedDeeper } from "./json-depth.ts";

const isDeep = (text: string, maxLevels = 3) => isNestedDeeper(Buffer.from(text), maxLevels);

t.test("levels of lists and objects are counted", async (t) => {
  t.equal(isDeep("[[[]]]"), false);
  t.equal(isDeep("[[[[]]]]"), true);
  t.equal(isDeep('{"a":{"b":[{}]}}'), true);
  t.equal(isDeep('[{"a":1},[],[[]],{},{},{},[],[]]'), false, "those that have ended do not count");
  t.equal(isDeep("[".repeat(100_000) + "]".repeat(100_000), 1000), true);
});

t.test("what stands in strings does not count", async (t) => {
  t.equal(isDeep('["[[[[[[[","{{{{{{{{"]'), false);
  t.equal(isDeep(String.raw`["\"[[[[[[","\\",[[1]]]`), false);
  t.equal(isDeep(String.raw`["\\\"[[[[[[","\\",[[[1]]]]`), true);
});
