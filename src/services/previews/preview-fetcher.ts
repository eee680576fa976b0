import { OutboundError } from "../../outbound/errors.ts";
import type { OutboundResponse } from "../../outbound/outbound-http.ts";
import { type Embedding, oEmbedUrlFor, readOEmbed } from "../../previews/oembed.ts";
import { type OpenGraph, openGraphOf, tidied } from "../../previews/open-graph.ts";
import type { PageFacts } from "../../previews/page-facts.ts";
import { type PageReader, UnreadablePageError } from "../../previews/page-reader.ts";
import { percentDecoded } from "../../previews/percent-encoding.ts";
import { type PictureCandidate, pictureCandidates } from "../../previews/picture-candidates.ts";
import { isPage, isPicture, type SiteClient } from "./site-client.ts";

/** What was found behind a link. */
export interface FetchedPreview {
  readonly properties: OpenGraph;
  /** The bytes of what may be its picture, best first; each is fetched when it is asked for. */
  readonly pictures: AsyncIterable<FetchedPicture>;
  /** How long the site lets it be kept, where it says so. */
  readonly maxAgeMs: number | undefined;
}

export interface FetchedPicture {
  readonly bytes: Buffer;
  /** Smaller ones, by width or height, are decoration. */
  readonly minPixels: number;
}

/** Finds out what is behind a link, by asking the site. */
export class PreviewFetcher {
  readonly #sites: SiteClient;
  readonly #pages: PageReader;

  constructor(sites: SiteClient, pages: PageReader) {
    this.#sites = sites;
    this.#pages = pages;
  }

  /**
   * @param language for the site to choose its words by, such as "de-at"
   * @returns `undefined` when there is nothing that a preview could be made of
   * @throws OutboundError when the site does not answer; UnreadablePageError
   */
  async fetch(url: URL, language: string): Promise<FetchedPreview | undefined> {
    const oEmbedUrl = oEmbedUrlFor(url);
    const embedding = oEmbedUrl && (await this.#embedding(oEmbedUrl, language));
    if (embedding) return this.#ofEmbedding(embedding, url);
    const response = await this.#sites.page(url, language);
    if (response.status < 200 || response.status > 299 || !isPlain(response)) return undefined;
    const type = response.headers["content-type"];
    if (isPicture(type)) return ofPicture(response);
    return isPage(type) ? this.#ofPage(response, language) : undefined;
  }

  async #ofPage(response: OutboundResponse, language: string): Promise<FetchedPreview> {
    const { body, headers, url } = response;
    const facts = await this.#pages.read(body, headers["content-type"]);
    const properties = openGraphOf(facts);
    const candidates = pictureCandidates(facts, url);
    const embedding = isPoor(facts) ? await this.#discovered(facts, url, language) : undefined;
    const picture = embedding?.picture === undefined ? null : URL.parse(embedding.picture, url);
    if (picture) candidates.unshift({ url: picture, minPixels: 1 });
    return {
      properties: { ...embedding?.properties, ...properties },
      pictures: this.#fetched(candidates),
      maxAgeMs: maxAgeOf(response),
    };
  }

  async #ofEmbedding({ properties, picture, html }: Embedding, page: URL): Promise<FetchedPreview> {
    const facts =
      html === undefined ? undefined : await this.#pages.read(Buffer.from(html), "text/html; charset=utf-8");
    const url = picture === undefined ? null : URL.parse(picture, page);
    return {
      properties: tidied({ "og:description": facts?.text ?? "", ...properties }),
      pictures: this.#fetched(url ? [{ url, minPixels: 1 }] : []),
      maxAgeMs: undefined,
    };
  }

  async #discovered(
    { oEmbedLink = "" }: PageFacts,
    page: URL,
    language: string,
  ): Promise<Embedding | undefined> {
    const url = URL.parse(oEmbedLink, page);
    return oEmbedLink === "" || !url ? undefined : this.#embedding(url, language);
  }

  /** What cannot be had is done without. */
  async #embedding(url: URL, language: string): Promise<Embedding | undefined> {
    const response = await orNothing(this.#sites.description(url, language));
    return response?.status === 200 ? readOEmbed(response.body) : undefined;
  }

  async *#fetched(candidates: readonly PictureCandidate[]): AsyncGenerator<FetchedPicture> {
    for (const { url, minPixels } of candidates) {
      const response = await orNothing(this.#sites.picture(url));
      if (response?.status === 200) yield { bytes: response.body, minPixels };
    }
  }
}

/** A picture that a link leads to directly. */
function ofPicture(response: OutboundResponse): FetchedPreview {
  const { url, body, isComplete } = response;
  const name = url.pathname.split("/").at(-1) ?? "";
  return {
    properties: tidied({ "og:title": percentDecoded(name), "og:url": url.href }),
    pictures: only(isComplete ? [{ bytes: body, minPixels: 1 }] : []),
    maxAgeMs: maxAgeOf(response),
  };
}

async function* only(pictures: readonly FetchedPicture[]): AsyncGenerator<FetchedPicture> {
  yield* pictures;
}

/** Whether a page leaves something to be told by its oEmbed description. */
function isPoor({ meta }: PageFacts): boolean {
  return !["og:title", "og:description", "og:image"].every((name) => meta.has(name));
}

/** What is encoded though it was asked for as it is, is not looked into. */
function isPlain({ headers }: OutboundResponse): boolean {
  return (headers["content-encoding"] ?? "identity").toLowerCase() === "identity";
}

function maxAgeOf({ headers }: OutboundResponse): number | undefined {
  const control = headers["cache-control"] ?? "";
  if (/\bno-(store|cache)\b/i.test(control)) return 0;
  const [, seconds] = /\bmax-age\s*=\s*"?(\d{1,9})/i.exec(control) ?? [];
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}

/** A part of a preview that the site does not give is left away. */
async function orNothing<Part>(part: Promise<Part>): Promise<Part | undefined> {
  try {
    return await part;
  } catch (error) {
    if (error instanceof OutboundError || error instanceof UnreadablePageError) return undefined;
    throw error;
  }
}
