import t from "tap";
import * as fc from "fast-check";
import { decodeBase64, encodeBase64, encodeBase64Url } from "./base64.ts";
import { specVectors } from "./testing/spec-vectors.ts";

t.test("the examples of the specification", async (t) => {
  const examples = {
    "": "",
    f: "Zg",
    fo: "Zm8",
    foo: "Zm9v",
    foob: "Zm9vYg",
    fooba: "Zm9vYmE",
    foobar: "Zm9vYmFy",
  };
  for (const [text, base64] of Object.entries(examples)) {
    t.equal(encodeBase64(Buffer.from(text)), base64);
    t.equal(Buffer.from(decodeBase64(base64) ?? []).toString(), text);
  }
});

interface Vectors {
  cases: { input_utf8: string; base64: string }[];
  derived_urlsafe: { input_hex: string; base64: string; base64url: string }[];
}
const vectors = specVectors<Vectors>("unpadded_base64");

t.test("the specification's vectors", { skip: vectors.skip }, async (t) => {
  const { cases, derived_urlsafe: urlSafe } = vectors.read();
  for (const { input_utf8: text, base64 } of cases) t.equal(encodeBase64(Buffer.from(text)), base64);
  for (const { input_hex: hex, base64, base64url } of urlSafe) {
    const bytes = Buffer.from(hex, "hex");
    t.equal(encodeBase64(bytes), base64);
    t.equal(encodeBase64Url(bytes), base64url);
    t.same(decodeBase64(base64), bytes);
    t.same(decodeBase64(base64url), bytes);
  }
});

t.test("decoding takes padding and both alphabets, and nothing else", async (t) => {
  t.same(decodeBase64("Zg=="), Buffer.from("f"));
  t.same(decodeBase64("-_8"), Buffer.from([0xfb, 0xff]));
  t.same(decodeBase64("+/8"), Buffer.from([0xfb, 0xff]));
  for (const text of ["Z", "Zg===", "Z=g", "Zm 9v", "Zm9v\n", "+_8", "Zm9v!", "Zmé9"]) {
    t.equal(decodeBase64(text), undefined, JSON.stringify(text));
  }
});

t.test("what is encoded can be decoded", async (t) => {
  const property = fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
    const standard = decodeBase64(encodeBase64(bytes));
    const urlSafe = decodeBase64(encodeBase64Url(bytes));
    return (
      standard !== undefined &&
      urlSafe !== undefined &&
      Buffer.compare(standard, bytes) === 0 &&
      Buffer.compare(urlSafe, bytes) === 0
    );
  });
  t.doesNotThrow(() => fc.assert(property), "for every array of bytes that was tried");
});
