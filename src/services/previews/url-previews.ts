import { createHash } from "node:crypto";
import { boundedCache } from "../../cache/bounded-cache.ts";
import { Turns } from "../../media/turns.ts";
import { OutboundError } from "../../outbound/errors.ts";
import { UnreadablePageError } from "../../previews/page-reader.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { StoredPreview, UrlPreviewStore } from "../../storage/url-previews.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { MediaLibrary } from "../media/media-library.ts";
import type { Chore } from "../media/media-upkeep.ts";
import type { FetchedPreview, PreviewFetcher } from "./preview-fetcher.ts";
import type { PreviewPictures, StoredPicture } from "./preview-pictures.ts";
import type { SiteClient } from "./site-client.ts";

export interface UrlPreviewParts {
  readonly store: UrlPreviewStore;
  readonly sites: Pick<SiteClient, "permits">;
  readonly fetcher: Pick<PreviewFetcher, "fetch">;
  readonly pictures: Pick<PreviewPictures, "keep">;
  readonly library: Pick<MediaLibrary, "remove">;
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

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
/** As long as the site says, within these. */
const freshness = { leastMs: 10 * minuteMs, usualMs: hourMs, mostMs: dayMs };
/** Pictures stay as long as the preview may be found by its time. */
const keptMs = 7 * dayMs;
const maxPreviews = 20_000;
const maxPictureBytes = 1024 * 1024 * 1024;
/** Beyond the bounds there are never more than so many. */
const putsBetweenTrims = 500;
/** A site that does not answer is left alone for a while. */
const failureMs = 5 * minuteMs;
const rememberedFailures = 2_000;
const maxUrlLength = 4_096;
const turnLimits = { maxAtWork: 16, maxWaiting: 200, maxWaitMs: 20_000 };
/** After which no further picture is tried. */
const pictureSearchMs = 10_000;
const removedAtOnce = 100;

/** Tells what is behind links (client-server API, "Content repository", `/preview_url`). */
export class UrlPreviews {
  readonly #parts: UrlPreviewParts;
  readonly #turns: Turns;
  /** Those that are being fetched: whoever else asks for one waits for the same. */
  readonly #fetching = new Map<string, Promise<string>>();
  readonly #failedUntilTs = boundedCache<string, number>(rememberedFailures);
  #putsSinceTrim = 0;

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
    const url = readUrl(text);
    if (!this.#parts.sites.permits(url))
      throw new MatrixError("M_FORBIDDEN", "This server shows no previews of this site");
    const nowTs = this.#parts.clock.nowMs();
    const key = createHash("sha256").update(`${language} ${url.href}`).digest("hex");
    const stored = await this.#stored(key, Math.min(ts ?? nowTs, nowTs), nowTs);
    if (stored) return stored.properties;
    if ((this.#failedUntilTs.get(key) ?? 0) > nowTs) throw unreachable();
    const fetching = this.#fetching.get(key) ?? this.#startFetching(key, url, language);
    return fetching;
  }

  /** Takes away what is old, and what is too much. */
  readonly trim: Chore = {
    name: "URL previews",
    run: async (nowTs) => {
      this.#putsSinceTrim = 0;
      const pictures = await this.#parts.store.trim({
        fetchedSinceTs: nowTs - keptMs,
        maxPreviews,
        maxPictureBytes,
      });
      for (let index = 0; index < pictures.length; index += removedAtOnce) {
        await this.#parts.library.remove(pictures.slice(index, index + removedAtOnce));
      }
    },
  };

  /** Of the time that is asked for, or of now. */
  async #stored(key: string, atTs: number, nowTs: number): Promise<StoredPreview | undefined> {
    for (const time of new Set([atTs, nowTs])) {
      const found = await this.#parts.store.find(key, time);
      if (found && found.freshUntilTs > time) return found;
    }
    return undefined;
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
    const { store, clock } = this.#parts;
    const fetchedTs = clock.nowMs();
    const picture = fetched && (await this.#picture(fetched, fetchedTs));
    const properties = JSON.stringify({ ...fetched?.properties, ...(picture && pictureProperties(picture)) });
    const { leastMs, usualMs, mostMs } = freshness;
    const freshMs = Math.min(mostMs, Math.max(leastMs, fetched?.maxAgeMs ?? usualMs));
    await store.put(key, {
      fetchedTs,
      freshUntilTs: fetchedTs + freshMs,
      properties,
      pictureId: picture?.mediaId ?? null,
      pictureBytes: picture?.sizeBytes ?? 0,
    });
    this.#putsSinceTrim += 1;
    if (this.#putsSinceTrim >= putsBetweenTrims) await this.trim.run(fetchedTs);
    return properties;
  }

  async #picture({ pictures }: FetchedPreview, nowTs: number): Promise<StoredPicture | undefined> {
    const { clock } = this.#parts;
    const startMs = clock.monotonicMs();
    for await (const { bytes, minPixels } of pictures) {
      const kept = await this.#parts.pictures.keep(bytes, minPixels, nowTs, nowTs + keptMs);
      if (kept) return kept;
      if (clock.monotonicMs() - startMs > pictureSearchMs) break;
    }
    return undefined;
  }
}

function pictureProperties({ uri, contentType, width, height, sizeBytes }: StoredPicture) {
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
