import { isDeepStrictEqual } from "node:util";
import t from "tap";
import * as fc from "fast-check";
import type { JsonValue } from "./json.ts";
import { parsePropertyPath, propertyAt } from "./property-path.ts";

t.test("paths of the specification", async (t) => {
  const cases: [path: string, names: string[]][] = [
    ["content.body", ["content", "body"]],
    ["content.m\\.relates_to", ["content", "m.relates_to"]],
    ["content.m\\\\foo", ["content", "m\\foo"]],
    ["content.\\x", ["content", "\\x"]],
    ["content.\\\\.x", ["content", "\\", "x"]],
    ["type", ["type"]],
    ["", [""]],
    ["a..b", ["a", "", "b"]],
    [".", ["", ""]],
    ["a\\", ["a\\"]],
  ];
  for (const [path, names] of cases) t.same(parsePropertyPath(path), names, path);
});

t.test("a path that names are escaped into leads back to them", async (t) => {
  const anyName = fc.array(fc.constantFrom("a", ".", "\\", "é")).map((characters) => characters.join(""));
  fc.assert(
    fc.property(fc.array(anyName, { minLength: 1 }), (names) => {
      const path = names.map((name) => name.replaceAll(/[\\.]/g, "\\$&")).join(".");
      return isDeepStrictEqual(parsePropertyPath(path), names);
    }),
  );
  t.same(parsePropertyPath("a\\.b\\\\.c"), ["a.b\\", "c"]);
});

t.test("the value at a path", async (t) => {
  const event: JsonValue = JSON.parse(
    '{"content": {"m.relates_to": {"rel_type": "m.thread"}, "list": [1], "none": null, "__proto__": {"x": 1}}}',
  );
  t.equal(propertyAt(event, ["content", "m.relates_to", "rel_type"]), "m.thread");
  t.equal(propertyAt(event, ["content", "none"]), null);
  t.equal(
    propertyAt(event, ["content", "__proto__", "x"]),
    1,
    "an own property of this name is one like others",
  );
  t.equal(propertyAt(event, ["content", "list", "0"]), undefined, "arrays are not entered");
  t.equal(propertyAt(event, ["content", "list", "length"]), undefined);
  t.equal(propertyAt(event, ["content", "constructor"]), undefined, "inherited properties do not count");
  t.equal(propertyAt(event, ["content", "none", "deeper"]), undefined);
  t.equal(propertyAt(event, ["absent"]), undefined);
});
