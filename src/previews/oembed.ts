import { isJsonObject, type JsonObject } from "../protocol/json.ts";
import { type OpenGraph, tidied } from "./open-graph.ts";

/** Sites whose pages say little without a browser, and that answer oEmbed requests instead (oembed.com). */
const providers: readonly { readonly pages: RegExp; readonly endpoint: string }[] = [
  {
    pages: /^https?:\/\/(www\.|m\.|music\.)?youtube\.com\/(watch\?|shorts\/|live\/|playlist\?)/,
    endpoint: "https://www.youtube.com/oembed",
  },
  { pages: /^https?:\/\/youtu\.be\/./, endpoint: "https://www.youtube.com/oembed" },
  {
    pages: /^https?:\/\/((www|mobile)\.)?(twitter|x)\.com\/[^/]+\/status(es)?\/\d/,
    endpoint: "https://publish.twitter.com/oembed",
  },
  { pages: /^https?:\/\/(www\.)?vimeo\.com\/\d/, endpoint: "https://vimeo.com/api/oembed.json" },
  { pages: /^https?:\/\/(www\.)?tiktok\.com\/@[^/]+\/video\/\d/, endpoint: "https://www.tiktok.com/oembed" },
  { pages: /^https?:\/\/open\.spotify\.com\/./, endpoint: "https://open.spotify.com/oembed" },
  { pages: /^https?:\/\/(www\.)?soundcloud\.com\/[^/]+\/./, endpoint: "https://soundcloud.com/oembed" },
];

/** Where a known site describes one of its pages; `undefined` when the page is to be read itself. */
export function oEmbedUrlFor(page: URL): URL | undefined {
  const provider = providers.find(({ pages }) => pages.test(page.href));
  if (!provider) return undefined;
  const url = new URL(provider.endpoint);
  url.searchParams.set("format", "json");
  url.searchParams.set("url", page.href);
  return url;
}

/** An oEmbed description in OpenGraph's terms. */
export interface Embedding {
  readonly properties: OpenGraph;
  readonly picture: string | undefined;
  /** Where the content is a piece of HTML, which has the text in it. */
  readonly html: string | undefined;
}

/** @returns `undefined` for what is no oEmbed description */
export function readOEmbed(bytes: Buffer): Embedding | undefined {
  const description = parsed(bytes);
  if (!description) return undefined;
  const type = textOf(description, "type");
  const picture = type === "photo" ? textOf(description, "url") : undefined;
  return {
    properties: tidied({
      "og:title": textOf(description, "title") ?? textOf(description, "author_name") ?? "",
      "og:site_name": textOf(description, "provider_name") ?? "",
      "og:url": textOf(description, "url") ?? "",
      ...(type === "video" && { "og:type": "video.other" }),
    }),
    picture: picture ?? textOf(description, "thumbnail_url"),
    html: type === "rich" ? textOf(description, "html") : undefined,
  };
}

function parsed(bytes: Buffer): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString());
    return isJsonObject(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function textOf(description: JsonObject, key: string): string | undefined {
  const value = description[key];
  return typeof value === "string" && value !== "" ? value : undefined;
}
