import t from "tap";
import { pageText } from "./page-text.ts";

const german = "Grüße – „hier“";

t.test("the header counts more than the page, and a byte order mark more than both", async (t) => {
  const latin = (meta: string) => Buffer.from(`${meta}Grüße`, "latin1");
  t.match(pageText(latin(""), "text/html; charset=iso-8859-1"), /Grüße/);
  t.match(pageText(latin('<meta charset="utf-8">'), 'text/html;Charset="ISO-8859-1"'), /Grüße/);
  t.equal(pageText(Buffer.from(`\ufeff${german}`), "text/html; charset=latin1"), german);
  t.equal(pageText(Buffer.from(`\ufeff${german}`, "utf16le"), "text/html; charset=utf-8"), german);
  t.equal(pageText(Buffer.from(`\ufeff${german}`, "utf16le").swap16(), undefined), german);
});

t.test("what a page says itself", async (t) => {
  const declarations = [
    '<meta charset="windows-1252">',
    "<META CHARSET=windows-1252>",
    '<meta http-equiv="Content-Type" content="text/html; charset=windows-1252">',
    '<?xml version="1.0" encoding="windows-1252"?>',
  ];
  for (const declaration of declarations) {
    t.match(
      pageText(Buffer.from(`${declaration}<p>Gr\u00fc\u00dfe`, "latin1"), "text/html"),
      /Grüße/,
      declaration,
    );
  }
  t.match(
    pageText(Buffer.from(`<meta charset="utf-16">${german}`), undefined),
    german,
    "that can be read is not",
  );
  t.match(pageText(Buffer.from(`<meta charset="nonsense">${german}`), "text/html; charset=nonsense"), german);
  t.match(
    pageText(
      Buffer.concat([Buffer.from('<meta charset="euc-kr">'), Buffer.from("c7d1b1b9", "hex")]),
      "text/html",
    ),
    "한국",
  );
});

t.test("UTF-8 where it is, else as Western Europe writes", async (t) => {
  const bytes = Buffer.from(german);
  t.equal(pageText(bytes, undefined), german);
  t.match(pageText(bytes.subarray(0, 3), undefined), /^Gr/);
  t.notMatch(pageText(bytes.subarray(0, 3), undefined), /Ã/, "cut off within a character");
  t.equal(pageText(Buffer.from("Gr\u00fc\u00dfe", "latin1"), undefined), "Grüße");
  t.equal(pageText(Buffer.of(), undefined), "");
});
