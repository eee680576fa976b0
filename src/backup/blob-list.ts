import { open } from "node:fs/promises";
import type { BlobReference } from "../storage/database-copies.ts";
import { BackupError } from "./backup-error.ts";
import { isSha256 } from "./manifest.ts";

/** The file of a backup that names its blobs: a line each, hash and size, in the order of the hashes. */
export const blobListFile = "media.list";

export function blobLine({ sha256, sizeBytes }: BlobReference): string {
  return `${sha256} ${sizeBytes}\n`;
}

/** @throws BackupError "damaged" */
export async function* readBlobList(file: string): AsyncGenerator<BlobReference> {
  await using handle = await open(file, "r");
  let before = "";
  for await (const line of handle.readLines()) {
    const [sha256 = "", size = ""] = line.split(" ");
    const sizeBytes = Number(size);
    if (!isSha256(sha256) || sha256 <= before || size === "" || !Number.isSafeInteger(sizeBytes)) {
      throw new BackupError("damaged", `${file} is damaged: use another backup.`);
    }
    before = sha256;
    yield { sha256, sizeBytes };
  }
}

/** Reads a list in parts, by the first byte of the hashes. */
export class BlobListParts {
  readonly #references: AsyncIterator<BlobReference>;
  #next: BlobReference | undefined;

  constructor(file: string) {
    this.#references = readBlobList(file);
  }

  /** Adds the hashes of a part, of which each has to be asked for once, in their order. */
  async addPart(part: number, to: Set<string>): Promise<void> {
    for (;;) {
      const next = this.#next ?? (await this.#references.next()).value;
      this.#next = next;
      if (!next || partOf(next) !== part) return;
      to.add(next.sha256);
      this.#next = undefined;
    }
  }
}

/** By the first byte of the hash: as blob stores have their shards. */
export function partOf({ sha256 }: BlobReference): number {
  return Number.parseInt(sha256.slice(0, 2), 16);
}
