import { createHash } from "node:crypto";
import type { StoredPreview, UrlPreviewStore } from "../../storage/url-previews.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { MediaLibrary } from "../media/media-library.ts";
import type { Chore } from "../media/media-upkeep.ts";

/** A preview that is to be kept. */
export interface CachedPreview {
  /** OpenGraph properties as JSON text. */
  readonly properties: string;
  readonly picture: { readonly mediaId: string; readonly sizeBytes: number } | undefined;
  /** How long the site lets it be kept, where it says so. */
  readonly maxAgeMs: number | undefined;
}

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
/** As long as the site says, within these. */
const freshness = { leastMs: 10 * minuteMs, usualMs: 60 * minuteMs, mostMs: dayMs };
/** How long previews may be found by their time, and their pictures are there. */
export const keptMs = 7 * dayMs;
const maxPreviews = 20_000;
const maxPictureBytes = 1024 * 1024 * 1024;
/** Beyond the bounds there are never more than so many. */
const putsBetweenTrims = 500;
const removedAtOnce = 100;

/** Keeps previews for a while, in bounds of time, number and size. */
export class PreviewCache {
  readonly #store: UrlPreviewStore;
  readonly #library: Pick<MediaLibrary, "remove">;
  readonly #clock: Clock;
  #putsSinceTrim = 0;

  constructor(store: UrlPreviewStore, library: Pick<MediaLibrary, "remove">, clock: Clock) {
    this.#store = store;
    this.#library = library;
    this.#clock = clock;
  }

  /** What a preview is kept under. URLs may hold secrets: a hash has none. */
  keyOf(url: URL, language: string): string {
    return createHash("sha256").update(`${language} ${url.href}`).digest("hex");
  }

  /** The preview of some time, or of now, as long as it was fresh then. */
  async find(key: string, ts: number | undefined): Promise<string | undefined> {
    const nowTs = this.#clock.nowMs();
    for (const time of new Set([Math.min(ts ?? nowTs, nowTs), nowTs])) {
      const found: StoredPreview | undefined = await this.#store.find(key, time);
      if (found && found.freshUntilTs > time) return found.properties;
    }
    return undefined;
  }

  async put(key: string, { properties, picture, maxAgeMs }: CachedPreview): Promise<void> {
    const fetchedTs = this.#clock.nowMs();
    const { leastMs, usualMs, mostMs } = freshness;
    const freshMs = Math.min(mostMs, Math.max(leastMs, maxAgeMs ?? usualMs));
    await this.#store.put(key, {
      fetchedTs,
      freshUntilTs: fetchedTs + freshMs,
      properties,
      pictureId: picture?.mediaId ?? null,
      pictureBytes: picture?.sizeBytes ?? 0,
    });
    this.#putsSinceTrim += 1;
    if (this.#putsSinceTrim >= putsBetweenTrims) await this.trim.run(fetchedTs);
  }

  /** Takes away what is old, and what is too much. */
  readonly trim: Chore = {
    name: "URL previews",
    run: async (nowTs) => {
      this.#putsSinceTrim = 0;
      const bounds = { fetchedSinceTs: nowTs - keptMs, maxPreviews, maxPictureBytes };
      const pictures = await this.#store.trim(bounds);
      for (let index = 0; index < pictures.length; index += removedAtOnce) {
        await this.#library.remove(pictures.slice(index, index + removedAtOnce));
      }
    },
  };
}
