import type { Config } from "../config/schema.ts";
import { federationMediaHandlers } from "../http/handlers/federation/media.ts";
import { mediaDownloadHandlers } from "../http/handlers/media-downloads.ts";
import { mediaHandlers } from "../http/handlers/media.ts";
import type { BoundEndpoint } from "../http/pipeline.ts";
import { FileBlobStore } from "../media/file-blob-store.ts";
import { mediaFolderOf } from "../media/media-folder.ts";
import { ImageScaler } from "../media/image-scaler.ts";
import { mxcUri, parseMxcUri } from "../protocol/mxc-uri.ts";
import { MediaAccess } from "../services/media/media-access.ts";
import { mediaChores } from "../services/media/media-chores.ts";
import { MediaLibrary } from "../services/media/media-library.ts";
import { MediaUpkeep } from "../services/media/media-upkeep.ts";
import { ReferencedBlobs } from "../services/media/referenced-blobs.ts";
import { Thumbnails } from "../services/media/thumbnails.ts";
import { UploadArrivals } from "../services/media/upload-arrivals.ts";
import { Uploads } from "../services/media/uploads.ts";
import { momentOf } from "../telemetry/clock.ts";
import type { Foundation } from "./foundation.ts";
import { composeRemoteMedia, retentionMsOf } from "./remote-media.ts";
import { composeUrlPreviews } from "./url-previews.ts";

export interface MediaParts extends AsyncDisposable {
  readonly library: MediaLibrary;
  readonly handlers: readonly BoundEndpoint[];
}

/**
 * The content repository.
 * @throws StartupError when the certificates for linked sites cannot be used
 */
export async function composeMedia(foundation: Foundation): Promise<MediaParts> {
  const { config, stores, clock, randomBytes, log } = foundation;
  const store = stores.media;
  const serverName = config.server_name;
  const blobs = await FileBlobStore.open(mediaFolderOf(config), randomBytes);
  // Nothing is being received yet: what is there was left by a crash.
  await blobs.removeLeftovers(Infinity);
  const references = new ReferencedBlobs(blobs, store);
  const arrivals = new UploadArrivals(clock);
  const access = new MediaAccess(store, clock, log);
  const limits = {
    maxUploadBytes: config.media.max_upload_bytes,
    maxBytesPerUser: config.media.max_bytes_per_user,
  };
  const frozenSinceTs = freezeOf(config.media);
  const parts = { serverName, store, blobs, references, arrivals, access, clock, randomBytes };
  const uploads = new Uploads({ ...parts, limits });
  const remote = config.federation.enabled
    ? composeRemoteMedia(foundation, { blobs, references })
    : undefined;
  const publicMediaIds = providerIcons(config);
  const library = new MediaLibrary({ ...parts, frozenSinceTs, publicMediaIds, remote: remote?.media });
  const scaler = new ImageScaler(clock);
  const thumbnails = new Thumbnails(store, blobs, references, scaler);
  const previews = composeUrlPreviews(foundation, { blobs, references, library, scaler });
  const { retention_days: retentionDays, keep_files_of_erased_users: keepsFilesOfErasedUsers } = config.media;
  const chores = mediaChores({
    store,
    blobs,
    references,
    library,
    retentionMs: retentionMsOf(retentionDays),
    uriPrefix: mxcUri({ serverName, mediaId: "" }),
    keepsFilesOfErasedUsers,
  });
  const upkeep = new MediaUpkeep([...chores, ...(remote?.chores ?? []), ...previews.chores], clock, log);
  upkeep.start();
  return {
    library,
    handlers: [
      ...mediaHandlers(uploads),
      ...mediaDownloadHandlers(library, thumbnails),
      ...previews.handlers,
      ...(remote ? federationMediaHandlers({ library, thumbnails, randomBytes }) : []),
    ],
    async [Symbol.asyncDispose]() {
      await upkeep[Symbol.asyncDispose]();
      await previews[Symbol.asyncDispose]();
      await remote?.[Symbol.asyncDispose]();
      await access[Symbol.asyncDispose]();
    },
  };
}

/** Since when files are for signed-in users only. */
function freezeOf({ unauthenticated_downloads: which }: Config["media"]): number {
  if (which === "all") return Infinity;
  // The configuration has been checked: it is a time, or "none".
  return momentOf(which) ?? -Infinity;
}

/** "Servers SHOULD exclude IdP icons used in the m.login.sso flow from the freeze." */
function providerIcons({ sso, server_name: serverName }: Config): ReadonlySet<string> {
  const icons = sso.providers.map(({ icon }) => (icon === null ? undefined : parseMxcUri(icon)));
  return new Set(icons.flatMap((icon) => (icon?.serverName === serverName ? [icon.mediaId] : [])));
}
