import { type BlobStore, blobShards } from "../../media/blob-store.ts";
import type { MediaStore } from "../../storage/media.ts";
import type { MediaLibrary } from "./media-library.ts";
import type { Chore } from "./media-upkeep.ts";
import type { ReferencedBlobs } from "./referenced-blobs.ts";

export interface MediaChoreParts {
  readonly store: MediaStore;
  readonly blobs: BlobStore;
  readonly references: ReferencedBlobs;
  readonly library: MediaLibrary;
  /** How long a file is kept that nobody asks for; `null` for ever. */
  readonly retentionMs: number | null;
  /** What the `mxc://` URIs of this server begin with. */
  readonly uriPrefix: string;
  readonly keepsFilesOfErasedUsers: boolean;
}

/** No upload takes this long: the listener sees to it. */
const leftoverAgeMs = 24 * 60 * 60 * 1000;
/** Removed in one transaction. */
const batchSize = 100;
/** The rest waits for the next round, so that the round ends. */
const maxBatches = 100;

/** What there is to do for uploaded files. */
export function mediaChores(parts: MediaChoreParts): Chore[] {
  const { store, blobs, library, retentionMs, uriPrefix, keepsFilesOfErasedUsers } = parts;
  const chores: Chore[] = [
    {
      name: "what has expired",
      run: (nowTs) => removeAll(library, (limit) => store.listExpired(nowTs, limit)),
    },
    { name: "leftovers of uploads", run: (nowTs) => blobs.removeLeftovers(nowTs - leftoverAgeMs) },
    sweepOfBlobs(parts),
  ];
  if (retentionMs !== null) {
    chores.push({
      name: "files that nobody asks for",
      run: (nowTs) => removeAll(library, (limit) => store.listUnused(nowTs - retentionMs, uriPrefix, limit)),
    });
  }
  if (!keepsFilesOfErasedUsers) {
    chores.push({
      name: "files of erased users",
      run: () => removeAll(library, (limit) => store.listOfErasedUsers(limit)),
    });
  }
  return chores;
}

/** Blobs that a crash left without reference. With a shard at a time, each is looked at once in some eleven days. */
function sweepOfBlobs({ references }: MediaChoreParts): Chore {
  let shard = 0;
  return {
    name: "lost blobs",
    async run(nowTs) {
      await references.sweep(shard, nowTs);
      shard = (shard + 1) % blobShards;
    },
  };
}

async function removeAll(
  library: MediaLibrary,
  list: (limit: number) => Promise<readonly string[]>,
): Promise<void> {
  for (let batch = 0; batch < maxBatches; batch++) {
    const mediaIds = await list(batchSize);
    await library.remove(mediaIds);
    if (mediaIds.length < batchSize) return;
  }
}
