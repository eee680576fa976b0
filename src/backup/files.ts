import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import type { Pace } from "./pace.ts";
import type { Progress } from "./progress.ts";

const blockBytes = 1024 * 1024;

/** A file as a manifest names it. */
export interface FileDigest {
  readonly sizeBytes: number;
  /** In lowercase hexadecimal digits. */
  readonly sha256: string;
}

/** What reads many bytes goes by this. */
export interface Work {
  readonly pace: Pace;
  readonly progress: Progress;
}

/** A file's bytes, block by block. The memory of a block is used again for the next. */
async function* blocksOf(file: string, { pace, progress }: Work): AsyncGenerator<Buffer> {
  await using handle = await open(file, "r");
  const block = Buffer.allocUnsafe(blockBytes);
  for (;;) {
    const { bytesRead } = await handle.read(block, 0, blockBytes);
    if (bytesRead === 0) return;
    yield block.subarray(0, bytesRead);
    progress.advance(bytesRead);
    await pace.spend(bytesRead);
  }
}

export async function digestOf(file: string, work: Work): Promise<FileDigest> {
  const hash = createHash("sha256");
  let sizeBytes = 0;
  for await (const block of blocksOf(file, work)) {
    hash.update(block);
    sizeBytes += block.length;
  }
  return { sizeBytes, sha256: hash.digest("hex") };
}

/** Copies a file, which must not be there, for its owner alone; when this returns, its bytes survive a power cut. */
export async function copyFile(from: string, to: string, work: Work): Promise<FileDigest> {
  await using target = await open(to, "wx", 0o600);
  const hash = createHash("sha256");
  let sizeBytes = 0;
  for await (const block of blocksOf(from, work)) {
    hash.update(block);
    sizeBytes += block.length;
    await target.writeFile(block);
  }
  await target.sync();
  return { sizeBytes, sha256: hash.digest("hex") };
}
