import sharp from "sharp";
import t from "tap";
import { anonymous, registerUser, type TestClient } from "../support/client.ts";
import { fetchBytes, mediaPath } from "../support/media.ts";
import { startServer } from "../support/server.ts";
import { Website } from "../support/website.ts";

// Made before the server loads the same library, which then opens only what may be a picture.
const colour = { r: 10, g: 200, b: 100 };
const picture = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: colour } })
    .png()
    .toBuffer();
const [logo, photo, pixel] = [await picture(279, 129), await picture(1200, 900), await picture(1, 1)];

// All of it takes a few seconds, on a busy machine a minute.
t.setTimeout(120_000);
const site = await Website.start();
t.teardown(() => site[Symbol.asyncDispose]());
/** On another address of this machine, which the server may not reach. */
const intranet = await Website.start("127.0.0.2");
t.teardown(() => intranet[Symbol.asyncDispose]());
const server = await startServer({
  url_previews: {
    enabled: true,
    allowed_private_ranges: ["127.0.0.1"],
    denied: ["127.0.0.1/denied/*", "*.forbidden.test"],
  },
});
t.teardown(() => server[Symbol.asyncDispose]());
const alice = await registerUser(server, "alice");
const png = { "Content-Type": "image/png" };
await site.serve("/logo.png", { headers: png, body: logo });
await site.serve("/photo.png", { headers: png, body: photo });
await site.serve("/pixel.png", { headers: png, body: pixel });

function preview(url: string, rest = "", headers: Record<string, string> = {}) {
  const path = `/_matrix/client/v1/media/preview_url?url=${encodeURIComponent(url)}${rest}`;
  return fetchBytes(alice, "getUrlPreviewAuthed", path, headers);
}

t.test("getUrlPreviewAuthed, getUrlPreview: OpenGraph, the picture in the content repository", async (t) => {
  const url = await site.html(
    "/rock.html",
    `<html prefix="og: http://ogp.me/ns#"><head><title>The Rock (1996)</title>
    <meta property="og:title" content="The Rock" /><meta property="og:type" content="video.movie" />
    <meta property="og:url" content="http://www.imdb.com/title/tt0117500/" />
    <meta property="og:image" content="logo.png" /><meta property="og:image:width" content="1" />
    <meta property="og:image:secure_url" content="http://127.0.0.1:1/none.png" />
    <meta property="og:description" content="Tom &amp; Jerry" /></head><body></body></html>`,
  );
  const { status, json, headers } = await preview(url);
  t.equal(status, 200);
  t.match(headers.get("content-type"), /^application\/json/);
  t.match(json, {
    "og:title": "The Rock",
    "og:type": "video.movie",
    "og:url": "http://www.imdb.com/title/tt0117500/",
    "og:description": "Tom & Jerry",
    "og:image": /^mxc:\/\/hearth\.test\/[A-Za-z0-9_-]+$/,
    "og:image:type": "image/png",
    "og:image:width": 279,
    "og:image:height": 129,
    "matrix:image:size": logo.length,
  });
  t.notOk("og:image:secure_url" in json, "no client is led to the site itself");
  const image = await fetchBytes(alice, "getContentAuthed", mediaPath("download", String(json["og:image"])));
  t.ok(image.bytes.equals(logo));
  const old = await alice.get(
    `/_matrix/media/v3/preview_url?url=${encodeURIComponent(url)}`,
    "getUrlPreview",
  );
  t.strictSame(old.body, json, "the same, from the cache");
  t.equal((await site.visits("/rock.html")).length, 1);
});

t.test("getUrlPreviewAuthed: Twitter cards, and pages that say nothing of themselves", async (t) => {
  const card = await site.html(
    "/card.html",
    `<meta name="twitter:title" content="Card"><meta name="twitter:description" content="About it">
    <meta name="twitter:image" content="/logo.png"><title>Not this</title>`,
  );
  t.match((await preview(card)).json, {
    "og:title": "Card",
    "og:description": "About it",
    "og:image": /^mxc:/,
  });
  const plain = await site.html(
    "/plain/page.html",
    `<title> A plain
      page </title><body><nav>Home</nav><script>no()</script><h1>Heading</h1>
    <img src="/pixel.png"><img src="/wide.png" width=600 height=2><img src="../photo.png">
    <p>First <b>paragraph</b>.</p><p>Second one.</p><footer>Imprint</footer>`,
  );
  const { json } = await preview(plain);
  t.equal(json["og:title"], "A plain page");
  t.equal(json["og:description"], "First paragraph.\nSecond one.");
  t.equal(json["og:image:width"], 800, "the first picture of a sensible size, no larger than need be");
  t.equal(json["og:image:height"], 600);
  const empty = await preview(await site.html("/empty.html", ""));
  t.equal(empty.status, 200);
  t.strictSame(empty.json, {});
});

t.test("getUrlPreviewAuthed: pages in other encodings", async (t) => {
  const titled = (charset: string) => `<meta charset="${charset}"><title>`;
  for (const [path, headers, body, title] of [
    ["/latin1", "text/html; charset=ISO-8859-1", Buffer.from("<title>Grüße", "latin1"), "Grüße"],
    [
      "/sjis",
      "text/html",
      Buffer.concat([Buffer.from(titled("shift_jis")), Buffer.from("93fa967b", "hex")]),
      "日本",
    ],
    ["/wrong", "text/html; charset=nonsense", Buffer.from("<title>Grüße"), "Grüße"],
    ["/western", "text/html", Buffer.from("<title>Grüße", "latin1"), "Grüße"],
    ["/utf16", "text/html", Buffer.from("\ufeff<title>Grüße", "utf16le"), "Grüße"],
  ] as const) {
    const url = await site.serve(path, { headers: { "Content-Type": headers }, body });
    t.equal((await preview(url)).json["og:title"], title, path);
  }
});

t.test("getUrlPreviewAuthed: links to pictures, and to what is neither picture nor page", async (t) => {
  const direct = await preview(`${site.origin}/logo.png#part`);
  t.match(direct.json, { "og:title": "logo.png", "og:image": /^mxc:/, "og:image:width": 279 });
  const video = await site.serve("/film.mp4", {
    headers: { "Content-Type": "video/mp4" },
    body: Buffer.alloc(1024 * 1024),
    repeated: 100,
  });
  t.strictSame((await preview(video)).json, {});
  const drawing =
    '<svg xmlns="http://www.w3.org/2000/svg" width="100" height="100"><script>alert(1)</script></svg>';
  await site.serve("/drawing.svg", { headers: { "Content-Type": "image/svg+xml" }, body: drawing });
  t.notOk("og:image" in (await preview(`${site.origin}/drawing.svg`)).json, "drawings are programs");
  t.strictSame((await preview(`${site.origin}/missing`)).json, {});
});

t.test("getUrlPreviewAuthed: oEmbed, where a page leads to it", async (t) => {
  const description = {
    type: "photo",
    title: "Embedded",
    url: `${site.origin}/logo.png`,
    provider_name: "Site",
  };
  await site.serve("/oembed.json", { body: JSON.stringify(description) });
  const link = '<link rel="alternate" type="application/json+oembed" href="/oembed.json">';
  const poor = await preview(await site.html("/poor.html", `${link}<body>`));
  t.match(poor.json, { "og:title": "Embedded", "og:site_name": "Site", "og:image:width": 279 });
  await site.serve("/broken.json", { body: "{" });
  const broken = await site.html(
    "/broken.html",
    `${link.replace("oembed.json", "broken.json")}<title>Still there`,
  );
  t.equal((await preview(broken)).json["og:title"], "Still there");
});

t.test("getUrlPreviewAuthed: redirects are followed, each through the filter", async (t) => {
  const page = await site.html("/target.html", "<title>Here</title>");
  const redirect = (path: string, Location: string) =>
    site.serve(path, { status: 302, headers: { Location } });
  t.equal((await preview(await redirect("/moved", page))).json["og:title"], "Here");
  const secret = await intranet.html("/secret", "<title>Secret</title>");
  const refused = [
    secret,
    await redirect("/inwards", secret),
    await redirect("/inwards-again", `${site.origin}/inwards`),
    secret.replace("127.0.0.2", "[::ffff:127.0.0.2]"),
    secret.replace("127.0.0.2", "2130706434"),
    secret.replace("127.0.0.2", "0x7f.0.0.2"),
    await redirect("/round", `${site.origin}/round`),
    await redirect("/file", "file:///etc/passwd"),
    "http://169.254.169.254/latest/meta-data/",
    "http://127.0.0.1:1/",
    "http://nowhere.invalid/",
  ];
  const answers = await Promise.all(refused.map((url) => preview(url)));
  for (const [index, { status, json }] of answers.entries()) {
    t.equal(status, 502, refused[index] ?? "");
    t.strictSame(json, answers[0]?.json, "whatever the reason");
  }
  const inside = await preview(
    await site.html("/inside.html", `<title>T</title><meta property="og:image" content="${secret}">`),
  );
  t.strictSame(inside.json, { "og:title": "T" });
  t.equal((await intranet.visits()).length, 0);
});

t.test("getUrlPreviewAuthed: sites that the administrator has denied", async (t) => {
  for (const url of [
    `${site.origin}/denied/page`,
    `${site.origin}/%64enied/page`,
    "https://www.Forbidden.test/",
    "https://www.forbidden.test./",
  ]) {
    const { status, json } = await preview(url);
    t.equal(status, 403, url);
    t.equal(json["errcode"], "M_FORBIDDEN");
  }
  const Location = `${site.origin}/denied/page`;
  await site.serve("/to-denied", { status: 301, headers: { Location } });
  t.equal((await preview(`${site.origin}/to-denied`)).status, 502);
  t.equal((await site.visits("/denied/page")).length, 0);
});

t.test("getUrlPreviewAuthed: the language that a client prefers is passed on", async (t) => {
  const url = await site.html("/language.html", "<title>Language</title>");
  await preview(url, "", { "Accept-Language": "de-AT, en;q=0.5" });
  await preview(url, "", { "Accept-Language": "de-AT, fr;q=0.5" });
  await preview(url, "", { "Accept-Language": "<script>" });
  const visits = await site.visits("/language.html");
  t.strictSame(
    visits.map(({ headers }) => headers["accept-language"]),
    ["de-at, *;q=0.5", "en, *;q=0.5"],
  );
  t.match(visits[0]?.headers, {
    "user-agent": /^Hearth\/.* \(bot;/,
    cookie: undefined,
  });
});

t.test("getUrlPreviewAuthed: many who ask at once are one visit", async (t) => {
  const url = await site.html("/busy.html", "<title>Busy</title>");
  const answers = await Promise.all(Array.from({ length: 10 }, () => preview(url)));
  t.ok(answers.every(({ json }) => json["og:title"] === "Busy"));
  t.equal((await site.visits("/busy.html")).length, 1);
});

t.test("getUrlPreviewAuthed: what was there at some time", async (t) => {
  const url = await site.html("/changing.html", "<title>One</title>");
  t.equal((await preview(url)).json["og:title"], "One");
  await site.html("/changing.html", "<title>Two</title>");
  t.equal((await preview(url, `&ts=${Date.now()}`)).json["og:title"], "One");
  t.equal((await preview(url, "&ts=1")).json["og:title"], "One", "a newer one, as there is none so old");
  t.equal((await preview(url, "&ts=99999999999999")).json["og:title"], "One");
});

t.test(
  "getUrlPreviewAuthed: pages that never end, that are huge, or that are made to be hard to read",
  async (t) => {
    const head = "<title>Large</title>";
    const large = await site.html("/large.html", head + "<p>text</p>".repeat(20_000));
    t.equal((await preview(large)).json["og:title"], "Large");
    const endless = {
      headers: { "Content-Type": "text/html" },
      body: head + "text ".repeat(600_000),
      isStuck: true,
    };
    t.equal((await preview(await site.serve("/endless.html", endless))).json["og:title"], "Large");
    const nested = await preview(await site.html("/nested.html", head + "<div>".repeat(100_000)));
    t.equal(nested.json["og:title"], "Large");
    const wide = await preview(await site.html("/wide.html", `${head}<p ${"a=b ".repeat(50_000)}>`));
    t.equal(wide.json["og:title"], "Large");
    const long = await site.html(
      "/long.html",
      `<meta property="og:title" content="${"x".repeat(1_500)}"><meta property="og:description" content="${"word ".repeat(400)}">`,
    );
    const { json } = await preview(long);
    t.equal(String(json["og:title"]).length, 300);
    t.ok(String(json["og:description"]).length <= 500);
    const zipped = await site.html("/zipped.html", "anything", { "Content-Encoding": "gzip" });
    t.strictSame((await preview(zipped)).json, {});
  },
);

t.test("getUrlPreviewAuthed: addresses that are none", async (t) => {
  for (const url of [
    "",
    "nonsense",
    "ftp://example.org/",
    "file:///etc/passwd",
    "data:text/html,a",
    "http://a:b@example.org/",
  ]) {
    const { status, json } = await preview(url);
    t.equal(status, 400, url);
    t.equal(json["errcode"], "M_INVALID_PARAM");
  }
  const long = await preview(`http://example.org/${"x".repeat(4_100)}`);
  t.equal(long.json["errcode"], "M_INVALID_PARAM");
  const missing = await alice.get("/_matrix/client/v1/media/preview_url", "getUrlPreviewAuthed");
  t.equal(missing.body["errcode"], "M_MISSING_PARAM");
  t.equal((await anonymous(server).get("/_matrix/client/v1/media/preview_url?url=x")).status, 401);
});

/** What the server says of previews in its capabilities (MSC4452). */
async function announced(client: TestClient): Promise<unknown> {
  const { body } = await client.get("/_matrix/client/v3/capabilities", "getCapabilities");
  return (body["capabilities"] as Record<string, unknown>)["io.element.msc4452.preview_url"];
}

t.test(
  "getUrlPreviewAuthed, getUrlPreview, getCapabilities: off unless the administrator wants them",
  async (t) => {
    t.strictSame(await announced(alice), { enabled: true });
    await using own = await startServer();
    const bob = await registerUser(own);
    t.strictSame(await announced(bob), { enabled: false });
    const query = `preview_url?url=${encodeURIComponent(site.origin)}`;
    for (const [path, operationId] of [
      [`/_matrix/client/v1/media/${query}`, "getUrlPreviewAuthed"],
      [`/_matrix/media/v3/${query}`, "getUrlPreview"],
    ] as const) {
      const { status, body } = await bob.get(path, operationId);
      t.equal(status, 403);
      t.equal(body["errcode"], "M_FORBIDDEN");
    }
  },
);
