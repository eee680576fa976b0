import t from "tap";
import { oEmbedUrlFor, readOEmbed } from "./oembed.ts";

t.test("sites that answer oEmbed requests", async (t) => {
  for (const [page, endpoint] of [
    ["https://www.youtube.com/watch?v=abc&t=1", "https://www.youtube.com/oembed"],
    ["https://youtu.be/abc", "https://www.youtube.com/oembed"],
    ["https://x.com/somebody/status/123", "https://publish.twitter.com/oembed"],
    ["https://vimeo.com/123", "https://vimeo.com/api/oembed.json"],
    ["https://open.spotify.com/track/abc", "https://open.spotify.com/oembed"],
  ] as const) {
    const url = oEmbedUrlFor(new URL(page));
    t.equal(url && url.origin + url.pathname, endpoint);
    t.equal(url?.searchParams.get("url"), page);
    t.equal(url?.searchParams.get("format"), "json");
  }
  for (const page of [
    "https://www.youtube.com/",
    "https://x.com/somebody",
    "https://example.org/?https://youtu.be/a",
    "https://youtu.be.example.org/a",
  ]) {
    t.equal(oEmbedUrlFor(new URL(page)), undefined, page);
  }
});

t.test("descriptions in OpenGraph's terms", async (t) => {
  const read = (description: object) => readOEmbed(Buffer.from(JSON.stringify(description)));
  t.strictSame(
    read({
      type: "video",
      title: "Film",
      provider_name: "Tube",
      thumbnail_url: "https://x/1.png",
      html: "<iframe>",
    }),
    {
      properties: { "og:title": "Film", "og:site_name": "Tube", "og:type": "video.other" },
      picture: "https://x/1.png",
      html: undefined,
    },
  );
  t.strictSame(read({ type: "rich", author_name: "Ann", url: "https://x/", html: "<p>Hi" }), {
    properties: { "og:title": "Ann", "og:url": "https://x/" },
    picture: undefined,
    html: "<p>Hi",
  });
  t.equal(read({ type: "photo", url: "https://x/p.png" })?.picture, "https://x/p.png");
  t.match(read({ type: 1, title: ["a"], html: {} }), { properties: {}, picture: undefined, html: undefined });
  for (const text of ["", "{", "[]", "null", '"text"', "<html>"])
    t.equal(readOEmbed(Buffer.from(text)), undefined, text);
});
