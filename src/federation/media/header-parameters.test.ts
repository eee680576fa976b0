import t from "tap";
import { filenameOf, parseParameterisedHeader } from "./header-parameters.ts";

t.test("a value and its parameters", async (t) => {
  const header = parseParameterisedHeader('Multipart/Mixed ; Boundary="a \\"b\\"; c" ;x=1;broken;y=2');
  t.equal(header.value, "multipart/mixed");
  t.strictSame(Object.fromEntries(header.parameters), { boundary: 'a "b"; c', x: "1" });
  t.strictSame(parseParameterisedHeader("").parameters.size, 0);
  t.equal(parseParameterisedHeader(`a${";p=1".repeat(50)};last=2`).parameters.get("last"), undefined);
});

t.test("file names: the encoded one counts, unless it is malformed", async (t) => {
  t.equal(filenameOf("inline; filename=plain.txt"), "plain.txt");
  t.equal(filenameOf('attachment; filename="name;with;semicolons"'), "name;with;semicolons");
  t.equal(filenameOf("inline; filename=x; filename*=utf-8''%F0%9F%90%94"), "🐔");
  t.equal(filenameOf("inline; filename=x; filename*=utf-8''%F0%9F"), "x");
  t.equal(filenameOf("inline; filename*=koi8-r''%F0"), undefined);
  for (const nameless of ["inline", 'inline; filename=""', "", "filename=x"]) {
    t.equal(filenameOf(nameless), undefined, nameless);
  }
});
