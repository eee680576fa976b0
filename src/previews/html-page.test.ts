import fc from "fast-check";
import t from "tap";
import { readHtml } from "./html-page.ts";
import { pageBounds } from "./page-facts.ts";

t.test("the first of each meta element counts, by property, name or itemprop", async (t) => {
  const { meta } = readHtml(`<META Property="OG:Title" CONTENT=" One ">
    <meta property="og:title" content="Two"><meta name=description content="A &lt;b&gt; &amp; c">
    <meta itemprop="image" content="/a.png"><meta name="empty" content=" "><meta content="nameless"><meta name="x">`);
  t.strictSame(
    [...meta],
    [
      ["og:title", "One"],
      ["description", "A <b> & c"],
      ["image", "/a.png"],
    ],
  );
});

t.test("title, heading and text, without what is not meant to be read", async (t) => {
  const facts = readHtml(`<!doctype html><head><title>The
    title</title><style>p { color: red }</style><script>"<p>no</p>"</script></head>
    <body><svg><title>Drawing</title></svg><nav><h1>Menu</h1></nav><h2>The <i>heading</i></h2><h1>Next</h1>
    <p>One <b>bold</b> word.<br>Line<p>Two<noscript>Switch it on</noscript><template><p>Later</p></template>
    <footer>Imprint</footer></body>`);
  t.equal(facts.title, "The\ntitle");
  t.equal(facts.heading, "The heading");
  t.equal(facts.text, "Next\nOne bold word.\nLine\nTwo");
});

t.test("pictures and links", async (t) => {
  const facts =
    readHtml(`<base href="/base/"><link rel="shortcut ICON" href="/icon.ico"><link rel=icon href=second>
    <link rel="image_src" href="/src.png"><link rel="alternate" type="application/json+oembed" href="/o.json">
    <link rel="alternate" type="application/rss+xml" href="/feed"><img src="a.png" width="100" height="50px">
    <img src="data:image/png;base64,AAAA"><img><img src="b.png" width="100%">`);
  t.strictSame(facts.images, [
    { src: "a.png", width: 100, height: 50 },
    { src: "b.png", width: undefined, height: undefined },
  ]);
  t.match(facts, { base: "/base/", icon: "/icon.ico", imageLink: "/src.png", oEmbedLink: "/o.json" });
});

t.test("whatever a page does, little is kept of it", async (t) => {
  const many = (count: number, piece: (index: number) => string) =>
    Array.from({ length: count }, (_, index) => piece(index)).join("");
  const facts = readHtml(
    many(1_000, (index) => `<meta name="m${index}" content="x">`) +
      many(1_000, (index) => `<img src="${index}.png">`) +
      `<meta name="long" content="${"x".repeat(5_000)}"><p>${"word ".repeat(50_000)}`,
  );
  t.equal(facts.meta.size, pageBounds.metaEntries);
  t.equal(facts.images.length, pageBounds.images);
  t.ok(facts.text.length <= pageBounds.textLength);
  const nested = readHtml(`<title>Deep</title>${"<div>".repeat(100_000)}<p>text`);
  t.equal(nested.title, "Deep");
  t.equal(nested.text, "", "nobody reads that far down");
});

t.test("nothing is read beyond a head that says it all", async (t) => {
  const head = ["title", "description", "image"]
    .map((name) => `<meta property="og:${name}" content="x">`)
    .join("");
  const filler = "<p>text</p>".repeat(10_000);
  t.equal(readHtml(`<head>${head}</head>${filler}<meta name="late" content="x">`).meta.has("late"), false);
  t.equal(readHtml(`<head></head>${filler}<meta name="late" content="x">`).meta.has("late"), true);
});

t.test("no text makes it fail", async (t) => {
  const piece = fc.constantFrom(
    "<",
    ">",
    "</",
    "/>",
    "<!--",
    "-->",
    "&#x",
    ";",
    '"',
    "'",
    "=",
    " ",
    "meta ",
    "title",
    "svg",
    "p",
    "form",
    "]]>",
    "\u{1F600}",
    "\ud800",
  );
  const isReadable = fc.property(
    fc.array(fc.oneof(piece, fc.string({ maxLength: 5 })), { maxLength: 60 }),
    (pieces) => {
      const { title, text } = readHtml(pieces.join(""));
      return title.isWellFormed() && text.isWellFormed();
    },
  );
  t.doesNotThrow(() => fc.assert(isReadable, { numRuns: 500 }));
});
