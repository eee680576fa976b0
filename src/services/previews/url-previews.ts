import { boundedCache } from "../../cache/bounded-cache.ts";
import { Turns } from "../../concurrency/turns.ts";
import { OutboundError } from "../../outbound/errors.ts";
import { UnreadablePageError } from "../../previews/page-reader.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { Logger } from "../../telemetry/log.ts";
import { keptMs, type PreviewCache } from "./preview-cache.ts";
import type { FetchedPreview, PreviewFetcher } from "./preview-fetcher.ts";
import type { PreviewPictures, StoredPicture } from "./preview-pictures.ts";
import type { SiteClient } from "./site-client.ts";

export interface UrlPreviewParts {
  readonly cache: PreviewCache;
  readonly sites: Pick<SiteClient, "permits">;
  readonly fetcher: Pick<PreviewFetcher, "fetch">;
  readonly pictures: Pick<PreviewPictures, "keep">;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What a user wants to see. */
export interface PreviewWish {
  readonly url: string;
  /** "The preferred point in time to return a preview for." */
  readonly ts: number | undefined;
  /** Such as "de-at". */
  readonly language: string;
}

/** A site that does not answer is left alone for a while. */
const failureMs = 5 * 60_000;
const rememberedFailures = 2_000;
const maxUrlLength = 4_096;
const turnLimits = { maxAtWork: 32, maxWaiting: 200, maxWaitMs: 20_000 };
/** After which no further picture is tried. */
const pictureSearchMs = 10_000;

/** Tells what is behind links (client-server API, "Content repository", `/preview_url`). */
export class UrlPreviews {
  readonly #parts: UrlPreviewParts;
  readonly #turns: Turns;
  /** Those that are being fetched: whoever else asks for one waits for the same. */
  readonly #fetching = new Map<string, Promise<string>>();
  readonly #failedUntilTs = boundedCache<string, number>(rememberedFailures);

  constructor(parts: UrlPreviewParts) {
    this.#parts = parts;
    this.#turns = new Turns(turnLimits, parts.clock);
  }

  /**
   * @returns OpenGraph properties as JSON text, the picture in the content repository; `{}` when there is nothing to tell
   * @throws MatrixError M_INVALID_PARAM, M_FORBIDDEN for sites that are not asked, M_CONNECTION_FAILED,
   *   M_LIMIT_EXCEEDED when the server has too much to do
   */
  async preview({ url: text, ts, language }: PreviewWish): Promise<string> {
    const { cache, sites, clock } = this.#parts;
    const url = readUrl(text);
    if (!sites.permits(url))
      throw new MatrixError("M_FORBIDDEN", "This server shows no previews of this site");
    const key = cache.keyOf(url, language);
    const known = await cache.find(key, ts);
    if (known !== undefined) return known;
    if ((this.#failedUntilTs.get(key) ?? 0) > clock.nowMs()) throw unreachable();
    return this.#fetching.get(key) ?? this.#startFetching(key, url, language);
  }

  #startFetching(key: string, url: URL, language: string): Promise<string> {
    const fetching = this.#turns
      .run(() => this.#fetch(key, url, language))
      .finally(() => this.#fetching.delete(key));
    this.#fetching.set(key, fetching);
    return fetching;
  }

  async #fetch(key: string, url: URL, language: string): Promise<string> {
    try {
      const fetched = await this.#parts.fetcher.fetch(url, language);
      return await this.#keep(key, fetched);
    } catch (error) {
      if (!(error instanceof OutboundError || error instanceof UnreadablePageError)) throw error;
      // Why is for the administrator: it would tell a user what there is in the server's own network.
      this.#parts.log.debug({ err: error }, "a link could not be followed for a preview");
      this.#failedUntilTs.set(key, this.#parts.clock.nowMs() + failureMs);
      throw unreachable();
    }
  }

  async #keep(key: string, fetched: FetchedPreview | undefined): Promise<string> {
    const picture = fetched && (await this.#picture(fetched));
    const properties = JSON.stringify({ ...fetched?.properties, ...(picture && propertiesOf(picture)) });
    await this.#parts.cache.put(key, { properties, picture, maxAgeMs: fetched?.maxAgeMs });
    return properties;
  }

  async #picture({ pictures }: FetchedPreview): Promise<StoredPicture | undefined> {
    const { clock, pictures: store } = this.#parts;
    const startMs = clock.monotonicMs();
    for await (const { bytes, minPixels } of pictures) {
      const kept = await store.keep(bytes, minPixels, clock.nowMs() + keptMs);
      if (kept) return kept;
      if (clock.monotonicMs() - startMs > pictureSearchMs) break;
    }
    return undefined;
  }
}

function propertiesOf({ uri, contentType, width, height, sizeBytes }: StoredPicture) {
  return {
    "og:image": uri,
    "og:image:type": contentType,
    "og:image:width": width,
    "og:image:height": height,
    "matrix:image:size": sizeBytes,
  };
}

/** @throws MatrixError M_INVALID_PARAM */
function readUrl(text: string): URL {
  const url = text.length > maxUrlLength ? null : URL.parse(text);
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new MatrixError(
      "M_INVALID_PARAM",
      `url has to be an http:// or https:// address of at most ${maxUrlLength} characters`,
    );
  }
  if (url.username !== "" || url.password !== "") {
    throw new MatrixError("M_INVALID_PARAM", "url must not have a user name or a password in it");
  }
  // Sites do not get to see it.
  url.hash = "";
  return url;
}

/** The same whatever the reason: whether there is something at a private address is nobody's business. */
function unreachable(): MatrixError {
  return new MatrixError(
    "M_CONNECTION_FAILED",
    "The site could not be reached, or its page could not be read",
  );
}
