import { RemoteFileClient } from "../federation/media/remote-file-client.ts";
import type { BlobStore } from "../media/blob-store.ts";
import { MediaAccess } from "../services/media/media-access.ts";
import type { Chore } from "../services/media/media-upkeep.ts";
import type { ReferencedBlobs } from "../services/media/referenced-blobs.ts";
import { RemoteMedia } from "../services/media/remote-media.ts";
import { RemoteMediaEviction } from "../services/media/remote-media-eviction.ts";
import type { Foundation } from "./foundation.ts";
import { composeOutbound } from "./outbound.ts";

export interface RemoteMediaParts extends AsyncDisposable {
  readonly media: RemoteMedia;
  readonly chores: readonly Chore[];
}

const dayMs = 24 * 60 * 60 * 1000;

/** How long a file is kept that nobody asks for; `null` for ever. */
export function retentionMsOf(days: number | null): number | null {
  return days === null ? null : days * dayMs;
}

/**
 * Files of other servers.
 * @throws StartupError when the certificates for other servers cannot be used
 */
export function composeRemoteMedia(
  { config, clock, log, stores, federationClient, heardServers }: Foundation,
  { blobs, references }: { readonly blobs: BlobStore; readonly references: ReferencedBlobs },
): RemoteMediaParts {
  const store = stores.remoteMedia;
  const http = composeOutbound(config.federation, clock);
  const { max_upload_bytes: maxBytes, remote_cache_bytes, remote_retention_days } = config.media;
  const eviction = new RemoteMediaEviction({
    store,
    references,
    clock,
    maxBytes: remote_cache_bytes,
    retentionMs: retentionMsOf(remote_retention_days),
  });
  const access = new MediaAccess(store, clock, log);
  return {
    media: new RemoteMedia({
      files: new RemoteFileClient({ client: federationClient, http, clock, heard: heardServers }),
      store,
      blobs,
      references,
      eviction,
      access,
      maxBytes,
      clock,
      log,
    }),
    chores: [
      { name: "files of other servers, beyond the bound", run: () => eviction.keepWithinBound() },
      { name: "files of other servers that nobody asks for", run: () => eviction.removeOld() },
    ],
    async [Symbol.asyncDispose]() {
      await access[Symbol.asyncDispose]();
      http[Symbol.dispose]();
    },
  };
}
