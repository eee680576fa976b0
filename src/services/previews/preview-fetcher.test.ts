import t, { type Test } from "tap";
import { OutboundError } from "../../outbound/errors.ts";
import type { OutboundRequest, OutboundResponse } from "../../outbound/outbound-http.ts";
import { PageReader } from "../../previews/page-reader.ts";
import { UrlPatterns } from "../../previews/url-patterns.ts";
import { systemClock } from "../../telemetry/clock.ts";
import { PreviewFetcher } from "./preview-fetcher.ts";
import { SiteClient } from "./site-client.ts";

interface Answer {
  readonly status?: number;
  readonly headers?: OutboundResponse["headers"];
  readonly body?: string;
  /** Where the answer comes from, after redirects. */
  readonly url?: string;
}

const html = { "content-type": "text/html" };

/** Looks at a web that is made of a few answers; whoever else is asked does not answer. */
function fetcherOf(t: Test, web: Readonly<Record<string, Answer>>) {
  const asked: OutboundRequest[] = [];
  const request = async (wish: OutboundRequest): Promise<OutboundResponse> => {
    asked.push(wish);
    const answer = web[wish.url.href];
    if (!answer) throw new OutboundError("unreachable", `no answer from ${wish.url.host}`);
    const { status = 200, headers = html, body = "", url = wish.url.href } = answer;
    const useful = wish.bytesOfUse?.(headers) ?? Infinity;
    const bytes = Buffer.from(body).subarray(0, useful);
    return { status, headers, body: bytes, isComplete: bytes.length === body.length, url: new URL(url) };
  };
  const pages = new PageReader({ clock: systemClock });
  t.teardown(() => pages[Symbol.asyncDispose]());
  const fetcher = new PreviewFetcher(new SiteClient({ request }, new UrlPatterns([])), pages);
  const look = async (url: string) => {
    const found = await fetcher.fetch(new URL(url), "de");
    if (!found) return undefined;
    const pictures: string[] = [];
    for await (const { bytes } of found.pictures) pictures.push(bytes.toString());
    return { properties: found.properties, pictures, maxAgeMs: found.maxAgeMs };
  };
  return { look, asked, addresses: () => asked.map(({ url }) => url.href) };
}

t.test("a site that is known to answer oEmbed requests is asked so", async (t) => {
  const page = "https://www.youtube.com/watch?v=abc";
  const oEmbed = `https://www.youtube.com/oembed?format=json&url=${encodeURIComponent(page)}`;
  const description = { type: "video", title: "Film", thumbnail_url: "https://i.test/1.jpg" };
  const web = {
    [oEmbed]: { body: JSON.stringify(description) },
    "https://i.test/1.jpg": { body: "picture" },
  };
  const { look, addresses } = fetcherOf(t, web);
  t.strictSame(await look(page), {
    properties: { "og:title": "Film", "og:type": "video.other" },
    pictures: ["picture"],
    maxAgeMs: undefined,
  });
  t.strictSame(addresses(), [oEmbed, "https://i.test/1.jpg"]);
  const fallback = fetcherOf(t, { [page]: { body: "<title>The page itself" } });
  t.match(await fallback.look(page), { properties: { "og:title": "The page itself" } });
});

t.test("the text of what is embedded as HTML", async (t) => {
  const page = "https://x.com/ann/status/1";
  const oEmbed = `https://publish.twitter.com/oembed?format=json&url=${encodeURIComponent(page)}`;
  const markup =
    '<blockquote><p>Hello <a href="https://t.test">@bob</a></p>&mdash; Ann</blockquote><script></script>';
  const body = JSON.stringify({ type: "rich", author_name: "Ann", html: markup });
  const { look } = fetcherOf(t, { [oEmbed]: { body } });
  t.match(await look(page), { properties: { "og:title": "Ann", "og:description": "Hello @bob\n— Ann" } });
});

t.test("what a page leaves open is filled in by its oEmbed description", async (t) => {
  const link = '<link rel="alternate" type="application/json+oembed" href="/o">';
  const description = JSON.stringify({ type: "photo", title: "Other", url: "/p.jpg", provider_name: "Site" });
  const web = { "https://a.test/o": { body: description }, "https://a.test/p.jpg": { body: "picture" } };
  const poor = fetcherOf(t, { ...web, "https://a.test/": { body: `${link}<title>Own</title>` } });
  t.match(await poor.look("https://a.test/"), {
    properties: { "og:title": "Own", "og:site_name": "Site" },
    pictures: ["picture"],
  });
  const meta = ["title", "description", "image"]
    .map((name) => `<meta property="og:${name}" content="x">`)
    .join("");
  const rich = fetcherOf(t, { ...web, "https://a.test/": { body: link + meta } });
  await rich.look("https://a.test/");
  t.notOk(rich.addresses().includes("https://a.test/o"), "not asked without need");
});

t.test("addresses in a page are relative to where it was found", async (t) => {
  const web = {
    "https://a.test/old": {
      url: "https://b.test/new/page",
      body: '<meta property="og:image" content="p.png">',
    },
    "https://b.test/new/p.png": { body: "picture" },
  };
  t.match(await fetcherOf(t, web).look("https://a.test/old"), { pictures: ["picture"] });
});

t.test("pictures that cannot be had are passed over", async (t) => {
  const images = ["/missing", "/gone.png", "/there.png"].map((src) => `<img src="${src}">`).join("");
  const body = `<meta property="og:image" content="/none.png">${images}`;
  const web = { "https://a.test/": { body }, "https://a.test/gone.png": { status: 404, body: "not found" } };
  t.match(await fetcherOf(t, web).look("https://a.test/"), { pictures: [] });
});

t.test("answers of which nothing can be made", async (t) => {
  for (const answer of [
    { status: 404, body: "<title>Not found" },
    { status: 500 },
    { headers: {} },
    { headers: { "content-type": "application/pdf" } },
    { headers: { ...html, "content-encoding": "br" } },
  ]) {
    t.equal(await fetcherOf(t, { "https://a.test/": answer }).look("https://a.test/"), undefined);
  }
  await t.rejects(fetcherOf(t, {}).look("https://a.test/"), OutboundError);
});

t.test("a picture that is linked itself, unless it is too large", async (t) => {
  const headers = { "content-type": "image/png" };
  const url = "https://a.test/sub/my%20cat.png";
  const small = fetcherOf(t, { [url]: { headers, body: "picture" } });
  t.match(await small.look(url), {
    properties: { "og:title": "my cat.png", "og:url": url },
    pictures: ["picture"],
  });
  const large = fetcherOf(t, { [url]: { headers, body: "x".repeat(5 * 1024 * 1024 + 1) } });
  t.match(await large.look(url), { pictures: [] });
});

t.test("how long a site lets its pages be kept", async (t) => {
  for (const [control, maxAgeMs] of [
    [undefined, undefined],
    ["public, max-age=60", 60_000],
    ['max-age="5"', 5_000],
    ["no-store, max-age=60", 0],
    ["private", undefined],
  ] as const) {
    const headers = { ...html, ...(control !== undefined && { "cache-control": control }) };
    const found = await fetcherOf(t, { "https://a.test/": { headers, body: "<title>a" } }).look(
      "https://a.test/",
    );
    t.equal(found?.maxAgeMs, maxAgeMs, control ?? "nothing is said");
  }
});

t.test("sites are told who asks, and nothing more", async (t) => {
  const { look, asked } = fetcherOf(t, { "https://a.test/": { body: "<title>a" } });
  await look("https://a.test/");
  t.match(asked[0], { method: "GET", maxRedirects: 5, headersForAll: true });
  t.strictSame(Object.keys(asked[0]?.headers ?? {}).toSorted(), [
    "Accept",
    "Accept-Encoding",
    "Accept-Language",
    "User-Agent",
  ]);
});
