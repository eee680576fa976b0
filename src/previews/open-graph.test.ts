import t from "tap";
import { readHtml } from "./html-page.ts";
import { openGraphOf, tidied } from "./open-graph.ts";
import { pictureCandidates } from "./picture-candidates.ts";

const graphOf = (html: string) => openGraphOf(readHtml(html));
const meta = (name: string, content: string) => `<meta name="${name}" content="${content}">`;

t.test("what a page says in OpenGraph's words comes before what it says in others", async (t) => {
  const others =
    meta("twitter:title", "Card") + meta("description", "Described") + "<title>Title</title><p>Text";
  t.strictSame(graphOf(others), { "og:title": "Card", "og:description": "Described" });
  t.match(graphOf(meta("og:title", "Graph") + others), {
    "og:title": "Graph",
    "og:description": "Described",
  });
  t.strictSame(graphOf("<title>Title</title><p>Text"), { "og:title": "Title", "og:description": "Text" });
  t.strictSame(graphOf("<h1>Heading</h1>"), { "og:title": "Heading" });
});

t.test(
  "other properties are taken over, but nothing that leads a client to a picture elsewhere",
  async (t) => {
    const graph = graphOf(
      meta("og:site_name", "Site") +
        meta("article:author", "Somebody") +
        meta("og:image", "http://x/") +
        meta("og:image:url", "http://x/") +
        meta("og:image:secure_url", "https://x/") +
        meta("og:image:alt", "A cat") +
        meta("matrix:image:size", "1") +
        meta("og:__proto__", "x") +
        meta("og:bad name", "x"),
    );
    t.strictSame(graph, {
      "og:site_name": "Site",
      "article:author": "Somebody",
      "og:image:alt": "A cat",
      "og:__proto__": "x",
    });
  },
);

t.test("a bounded number of bounded texts", async (t) => {
  const many = Array.from({ length: 90 }, (_, index) => meta(`og:p${index}`, "x")).join("");
  t.equal(Object.keys(graphOf(many)).length, 40);
  const cut = tidied({
    "og:title": "word ".repeat(100),
    "og:description": "x".repeat(900),
    "og:url": "x".repeat(1_001),
  });
  t.match(cut["og:title"], /^(word )*word…$/);
  t.equal(cut["og:description"]?.length, 500);
  t.notOk("og:url" in cut);
  t.strictSame(tidied({ "og:title": " a \n b ", "og:site_name": " ", "og:description": "a\nb" }), {
    "og:title": "a b",
    "og:description": "a\nb",
  });
  t.ok(tidied({ "og:title": "\u{1F600}".repeat(200) })["og:title"]?.isWellFormed());
});

t.test("pictures: what a page names, then what it shows, then its icon", async (t) => {
  const page = new URL("https://example.org/a/b.html");
  const candidates = (html: string) => pictureCandidates(readHtml(html), page).map(({ url }) => url.href);
  const body =
    '<img src="small.png" width=10 height=10><img src="drawing.svg"><img src="shown.png"><link rel=icon href=/i>';
  t.strictSame(candidates(meta("twitter:image", "/t.png") + meta("og:image", "o.png") + body), [
    "https://example.org/a/o.png",
    "https://example.org/t.png",
    "https://example.org/a/shown.png",
    "https://example.org/i",
  ]);
  t.strictSame(candidates(`<base href="//cdn.test/">${body}`), [
    "https://cdn.test/shown.png",
    "https://cdn.test/i",
  ]);
  t.strictSame(candidates(meta("og:image", "javascript:alert(1)") + meta("image", "file:///etc/passwd")), []);
  t.strictSame(candidates(meta("og:image", "x.png") + meta("og:image:url", "x.png")), [
    "https://example.org/a/x.png",
  ]);
});
