import { join } from "node:path";
import { mediaHandlers } from "../http/handlers/media.ts";
import type { BoundEndpoint } from "../http/pipeline.ts";
import { FileBlobStore } from "../media/file-blob-store.ts";
import { ImageScaler } from "../media/image-scaler.ts";
import { MediaAccess } from "../services/media/media-access.ts";
import { MediaLibrary } from "../services/media/media-library.ts";
import { MediaUpkeep } from "../services/media/media-upkeep.ts";
import { ReferencedBlobs } from "../services/media/referenced-blobs.ts";
import { Thumbnails } from "../services/media/thumbnails.ts";
import { UploadArrivals } from "../services/media/upload-arrivals.ts";
import { Uploads } from "../services/media/uploads.ts";
import type { Foundation } from "./foundation.ts";

export interface MediaParts extends AsyncDisposable {
  readonly library: MediaLibrary;
  readonly handlers: readonly BoundEndpoint[];
}

/** The content repository. */
export async function composeMedia(foundation: Foundation): Promise<MediaParts> {
  const { config, stores, clock, randomBytes, log } = foundation;
  const store = stores.media;
  const serverName = config.server_name;
  const blobs = await FileBlobStore.open(join(config.data_dir, "media"), randomBytes);
  const references = new ReferencedBlobs(blobs, store);
  const arrivals = new UploadArrivals(clock);
  const access = new MediaAccess(store, clock, log);
  const limits = {
    maxUploadBytes: config.media.max_upload_bytes,
    maxBytesPerUser: config.media.max_bytes_per_user,
  };
  const uploads = new Uploads({ serverName, store, blobs, references, arrivals, clock, randomBytes, limits });
  const library = new MediaLibrary({ serverName, store, blobs, references, arrivals, access, clock });
  const thumbnails = new Thumbnails(store, blobs, references, new ImageScaler(clock));
  const upkeep = new MediaUpkeep(store, blobs, references, clock, log);
  upkeep.start();
  return {
    library,
    handlers: mediaHandlers(uploads, library, thumbnails),
    async [Symbol.asyncDispose]() {
      await upkeep[Symbol.asyncDispose]();
      await access[Symbol.asyncDispose]();
    },
  };
}
