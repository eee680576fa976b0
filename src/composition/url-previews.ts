import { urlPreviewHandlers } from "../http/handlers/url-previews.ts";
import type { BoundEndpoint } from "../http/pipeline.ts";
import type { BlobStore } from "../media/blob-store.ts";
import type { ImageScaler } from "../media/image-scaler.ts";
import { PageReader } from "../previews/page-reader.ts";
import { UrlPatterns } from "../previews/url-patterns.ts";
import type { MediaLibrary } from "../services/media/media-library.ts";
import type { Chore } from "../services/media/media-upkeep.ts";
import type { ReferencedBlobs } from "../services/media/referenced-blobs.ts";
import { PreviewCache } from "../services/previews/preview-cache.ts";
import { PreviewFetcher } from "../services/previews/preview-fetcher.ts";
import { PreviewPictures } from "../services/previews/preview-pictures.ts";
import { SiteClient } from "../services/previews/site-client.ts";
import { UrlPreviews } from "../services/previews/url-previews.ts";
import type { Foundation } from "./foundation.ts";
import { composeOutbound } from "./outbound.ts";

export interface UrlPreviewParts extends AsyncDisposable {
  readonly handlers: readonly BoundEndpoint[];
  readonly chores: readonly Chore[];
}

/** Where the pictures of previews are kept. */
export interface PictureParts {
  readonly blobs: BlobStore;
  readonly references: ReferencedBlobs;
  readonly library: MediaLibrary;
  readonly scaler: ImageScaler;
}

/**
 * Previews of links, as far as the configuration has them on.
 * @throws StartupError when the certificates for linked sites cannot be used
 */
export function composeUrlPreviews(
  { config, stores, clock, randomBytes, log }: Foundation,
  { library, ...pictureParts }: PictureParts,
): UrlPreviewParts {
  const cache = new PreviewCache(stores.urlPreviews, library, clock);
  // What there is from before they were switched off goes as well.
  const chores = [cache.trim];
  if (!config.url_previews.enabled) {
    return { handlers: urlPreviewHandlers(undefined), chores, [Symbol.asyncDispose]: async () => undefined };
  }
  const http = composeOutbound(config.url_previews, clock);
  const pages = new PageReader({ clock });
  const sites = new SiteClient(http, new UrlPatterns(config.url_previews.denied));
  const fetcher = new PreviewFetcher(sites, pages);
  const { server_name: serverName } = config;
  const pictures = new PreviewPictures({
    ...pictureParts,
    serverName,
    store: stores.media,
    randomBytes,
    clock,
  });
  return {
    handlers: urlPreviewHandlers(new UrlPreviews({ cache, sites, fetcher, pictures, clock, log })),
    chores,
    async [Symbol.asyncDispose]() {
      http[Symbol.dispose]();
      await pages[Symbol.asyncDispose]();
    },
  };
}
