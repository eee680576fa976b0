import { createHash } from "node:crypto";
import { type FileHandle, mkdir, open, readdir, rename, rm, stat, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { hasCode, isDiskFull, syncFolder } from "../storage/disk.ts";
import { StorageError } from "../storage/errors.ts";
import type { RandomBytes } from "../telemetry/random.ts";
import {
  BlobMissingError,
  type BlobStore,
  BlobTooLargeError,
  blobShards,
  type ByteRange,
  type ReceivedBlob,
} from "./blob-store.ts";
import { GatheredWrites } from "./gathered-writes.ts";

/** One write or read of a file: few calls for a large file, little memory for many. */
const blockBytes = 512 * 1024;
/** What is not larger is read at once: a third cheaper than a stream, which holds two blocks for a slow client. */
const smallBytes = 1024 * 1024;
/** So much of the disk is left to the database, which users need to write to each other. */
const maxReservedBytes = 256 * 1024 * 1024;
const reservedShare = 0.02;
/** After so much has been written, it is looked at anew how much room there is. */
const maxUncheckedBytes = 4 * 1024 * 1024;

/**
 * Blobs as files `ab/abcd…` in a folder, and in `incoming` what is on its way. A file gets its name by being moved
 * there when it is complete and on the disk, so a blob is never seen in part.
 */
export class FileBlobStore implements BlobStore {
  readonly #folder: string;
  readonly #incoming: string;
  readonly #randomBytes: RandomBytes;
  #uncheckedBytes = Infinity;
  /** Done when the folders of all shards are there to stay. */
  #shardFolders: Promise<void> | undefined;

  private constructor(folder: string, randomBytes: RandomBytes) {
    this.#folder = folder;
    this.#incoming = join(folder, "incoming");
    this.#randomBytes = randomBytes;
  }

  /** Makes the folder when it is not there. */
  static async open(folder: string, randomBytes: RandomBytes): Promise<FileBlobStore> {
    const store = new FileBlobStore(folder, randomBytes);
    await mkdir(store.#incoming, { recursive: true, mode: 0o700 });
    return store;
  }

  /** Blobs that are there already, to be read only: nothing is made, so the disk need not be writable. */
  static openToRead(folder: string, randomBytes: RandomBytes): Pick<BlobStore, "read"> {
    return new FileBlobStore(folder, randomBytes);
  }

  async receive(
    source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    maxBytes: number,
  ): Promise<ReceivedBlob> {
    const path = join(this.#incoming, this.#randomBytes(16).toString("hex"));
    let isKept = false;
    const giveUp = async () => {
      if (!isKept) await rm(path, { force: true });
    };
    try {
      const { sha256, sizeBytes } = await this.#writeFile(path, source, maxBytes);
      const keep = async () => {
        try {
          await this.#moveIn(path, sha256);
          isKept = true;
        } catch (error) {
          throw orDiskFull(error);
        }
      };
      return { sha256, sizeBytes, keep, [Symbol.asyncDispose]: giveUp };
    } catch (error) {
      await giveUp();
      throw orDiskFull(error);
    }
  }

  async read(sha256: string, { start, end }: ByteRange): Promise<Buffer | Readable> {
    const sizeBytes = end - start;
    if (sizeBytes > smallBytes) {
      const file = await this.#open(sha256, end);
      return file.createReadStream({ start, end: end - 1, highWaterMark: blockBytes });
    }
    await using file = await this.#open(sha256);
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(sizeBytes), 0, sizeBytes, start);
    if (bytesRead < sizeBytes) throw new BlobMissingError(sha256);
    return buffer;
  }

  async useFile<Result>(sha256: string, use: (path: string) => Promise<Result>): Promise<Result> {
    const file = await this.#open(sha256);
    await file.close();
    return use(this.#pathOf(sha256));
  }

  remove(sha256: string): Promise<void> {
    return rm(this.#pathOf(sha256), { force: true });
  }

  async list(shard: number, storedBeforeTs: number): Promise<string[]> {
    return olderThan(this.#shardFolder(shard), storedBeforeTs);
  }

  async removeLeftovers(receivedBeforeTs: number): Promise<void> {
    const leftovers = await olderThan(this.#incoming, receivedBeforeTs);
    await Promise.all(leftovers.map((name) => rm(join(this.#incoming, name), { force: true })));
  }

  async #writeFile(
    path: string,
    source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    maxBytes: number,
  ): Promise<{ sha256: string; sizeBytes: number }> {
    await using file = await open(path, "wx", 0o600);
    const write = async (bytes: Uint8Array) => {
      await this.#checkRoom(bytes.length);
      await writeAll(file, bytes);
    };
    using writes = new GatheredWrites(write, Math.min(blockBytes, maxBytes));
    const hash = createHash("sha256");
    let sizeBytes = 0;
    for await (const piece of source) {
      sizeBytes += piece.length;
      if (sizeBytes > maxBytes) throw new BlobTooLargeError(maxBytes);
      hash.update(piece);
      await writes.add(piece);
    }
    await writes.flush();
    await file.sync();
    return { sha256: hash.digest("hex"), sizeBytes };
  }

  /** @throws StorageError when files would take what is left to the database */
  async #checkRoom(neededBytes: number): Promise<void> {
    this.#uncheckedBytes += neededBytes;
    if (this.#uncheckedBytes <= maxUncheckedBytes) return;
    const { bsize, blocks, bavail } = await statfs(this.#incoming);
    if (bavail * bsize < Math.min(maxReservedBytes, blocks * bsize * reservedShare)) {
      throw new StorageError("disk-full", "the disk of the media folder is nearly full");
    }
    this.#uncheckedBytes = 0;
  }

  #pathOf(sha256: string): string {
    return join(this.#folder, sha256.slice(0, 2), sha256);
  }

  #shardFolder(shard: number): string {
    return join(this.#folder, shard.toString(16).padStart(2, "0"));
  }

  /** @throws BlobMissingError also when it has fewer than so many bytes */
  async #open(sha256: string, sizeBytes = 0): Promise<FileHandle> {
    const file = await openIfThere(this.#pathOf(sha256));
    if (file && (sizeBytes === 0 || (await file.stat()).size >= sizeBytes)) return file;
    await file?.close();
    throw new BlobMissingError(sha256);
  }

  async #moveIn(path: string, sha256: string): Promise<void> {
    this.#shardFolders ??= this.#makeShardFolders();
    await this.#shardFolders;
    const target = this.#pathOf(sha256);
    await rename(path, target);
    await syncFolder(dirname(target));
  }

  /** All at once: a folder has to survive a power cut as well, and so they wait for the disk but one time. */
  async #makeShardFolders(): Promise<void> {
    try {
      const folders = Array.from({ length: blobShards }, (_, shard) => this.#shardFolder(shard));
      await Promise.all(folders.map((folder) => mkdir(folder, { recursive: true, mode: 0o700 })));
      await syncFolder(this.#folder);
    } catch (error) {
      this.#shardFolders = undefined;
      throw error;
    }
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  const { bytesWritten } = await file.write(bytes);
  // A disk that is nearly full takes a part, and says with the rest what is the matter.
  if (bytesWritten < bytes.length) await file.writeFile(bytes.subarray(bytesWritten));
}

/** Names of a folder's files that were last written before a moment. */
async function olderThan(folder: string, beforeTs: number): Promise<string[]> {
  const found: string[] = [];
  for (const name of await namesIn(folder)) {
    const { mtimeMs } = await statIfThere(join(folder, name));
    if (mtimeMs < beforeTs) found.push(name);
  }
  return found;
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return [];
    throw error;
  }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, "r");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

/** A file that has gone meanwhile is as good as one that was just written. */
async function statIfThere(path: string): Promise<{ mtimeMs: number }> {
  try {
    return await stat(path);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return { mtimeMs: Infinity };
    throw error;
  }
}

function orDiskFull(error: unknown): unknown {
  if (error instanceof StorageError || !isDiskFull(error)) return error;
  return new StorageError("disk-full", "the disk of the media folder is full", { cause: error });
}
