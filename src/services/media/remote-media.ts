import { LRUCache } from "lru-cache";
import { boundedCache } from "../../cache/bounded-cache.ts";
import { type BlobStore, BlobTooLargeError } from "../../media/blob-store.ts";
import { Turns } from "../../concurrency/turns.ts";
import type { ServerName } from "../../protocol/identifiers.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import { isMediaId } from "../../protocol/mxc-uri.ts";
import { isServerName } from "../../protocol/server-name.ts";
import { StorageError } from "../../storage/errors.ts";
import type { MediaContent } from "../../storage/media.ts";
import type { RemoteMediaId, RemoteMediaRecord, RemoteMediaStore } from "../../storage/remote-media.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { Logger } from "../../telemetry/log.ts";
import { knownContentType } from "./content-type.ts";
import type { MediaAccess } from "./media-access.ts";
import type { ReferencedBlobs } from "./referenced-blobs.ts";
import {
  type RemoteFile,
  RemoteFileError,
  type RemoteFileFailure,
  type RemoteFiles,
} from "./remote-files.ts";
import type { RemoteMediaEviction } from "./remote-media-eviction.ts";

export interface RemoteMediaParts {
  readonly files: RemoteFiles;
  readonly store: RemoteMediaStore;
  readonly blobs: BlobStore;
  readonly references: ReferencedBlobs;
  readonly eviction: RemoteMediaEviction;
  readonly access: MediaAccess<RemoteMediaId>;
  readonly maxBytes: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** How a file is asked for. */
export interface RemoteAsk {
  /** How long its server may wait for it, when it has still to be uploaded there. */
  readonly waitMs: number;
  /** A file that has been fetched later, or has yet to be, is none for whoever asks. */
  readonly fetchedBeforeTs: number;
}

/** A room may show fifty pictures of one server at once; a slow one keeps no other waiting. */
const turnsPerServer = { maxAtWork: 8, maxWaiting: 200, maxWaitMs: 30_000 };
/** Each has half a mebibyte of memory. */
const turnsOfAll = { maxAtWork: 200, maxWaiting: 2_000, maxWaitMs: 30_000 };
const rememberedServers = 1_000;
const maxFilenameBytes = 1024;
/** Failures that are remembered, so that a file which cannot be had is not asked for with every look at a room. */
const rememberedFailures = 10_000;
const rememberedMs = 60_000;
/** Failures that are none of the file. */
const passing: readonly RemoteFileFailure[] = ["not-yet-uploaded", "busy", "unreachable"];
/** Freed for others when the disk is full. */
const freedBytes = 512 * 1024 * 1024;

/** Files of other servers: fetched when they are first asked for, and kept as long as there is room. */
export class RemoteMedia {
  readonly #parts: RemoteMediaParts;
  /** Files under way, by server and media ID: whoever else wants one waits for the same. */
  readonly #fetching = new Map<string, Promise<RemoteMediaRecord>>();
  readonly #turns: Turns;
  readonly #turnsOf = boundedCache<ServerName, Turns>(rememberedServers);
  /** By server and media ID. */
  readonly #failures: LRUCache<string, RemoteFileError>;

  constructor(parts: RemoteMediaParts) {
    this.#parts = parts;
    this.#turns = new Turns(turnsOfAll, parts.clock);
    this.#failures = new LRUCache({
      maxSize: rememberedFailures,
      sizeCalculation: () => 1,
      perf: { now: () => parts.clock.monotonicMs() },
    });
  }

  /**
   * The description of another server's file, whose bytes are here then.
   * @throws MatrixError M_NOT_FOUND, M_NOT_YET_UPLOADED, M_LIMIT_EXCEEDED, M_CONNECTION_FAILED, M_BAD_STATUS; RemoteFileError "too-large"
   */
  async find(serverName: string, mediaId: string, ask: RemoteAsk): Promise<MediaContent> {
    if (!isServerName(serverName) || !isMediaId(mediaId)) throw notFound();
    const id = { serverName, mediaId };
    const key = `${serverName}/${mediaId}`;
    const known = await this.#parts.store.find(id);
    if (!known && ask.fetchedBeforeTs <= this.#parts.clock.nowMs()) throw notFound();
    const record = known ?? (await this.#fetched(serverName, mediaId, key, ask.waitMs));
    if (record.quarantined || record.fetchedTs >= ask.fetchedBeforeTs) throw notFound();
    if (known) this.#parts.access.saw(key, id);
    return record.content;
  }

  async #fetched(
    serverName: ServerName,
    mediaId: string,
    key: string,
    waitMs: number,
  ): Promise<RemoteMediaRecord> {
    const underWay = this.#fetching.get(key);
    const fetching = underWay ?? this.#fetch(serverName, mediaId, key, waitMs);
    if (!underWay) {
      this.#fetching.set(key, fetching);
      fetching.then(
        () => this.#fetching.delete(key),
        () => this.#fetching.delete(key),
      );
    }
    try {
      return await fetching;
    } catch (error) {
      throw error instanceof RemoteFileError ? refusalOf(error) : error;
    }
  }

  async #fetch(
    serverName: ServerName,
    mediaId: string,
    key: string,
    waitMs: number,
  ): Promise<RemoteMediaRecord> {
    const failure = this.#failures.get(key);
    if (failure) throw failure;
    try {
      return await this.#turnsWith(serverName).run(() =>
        this.#turns.run(() =>
          this.#parts.files.fetch(serverName, mediaId, waitMs, (file) =>
            this.#keep({ serverName, mediaId }, file),
          ),
        ),
      );
    } catch (error) {
      this.#remember(error, key);
      throw error;
    }
  }

  async #keep(id: RemoteMediaId, file: RemoteFile): Promise<RemoteMediaRecord> {
    const { store, references, eviction, clock, log } = this.#parts;
    await using received = await this.#receive(file);
    const { sha256, sizeBytes } = received;
    const { contentType, filename = "" } = file;
    const isNamed = filename !== "" && Buffer.byteLength(filename) <= maxFilenameBytes;
    const content = {
      sha256,
      sizeBytes,
      contentType: knownContentType(contentType),
      filename: isNamed ? filename : null,
    };
    const record = await references.keep(received, () => store.put(id, content, clock.nowMs()));
    // Nobody has to wait for what others no longer need.
    eviction.stored(sizeBytes).catch((error: unknown) => {
      log.error({ err: error }, "files of other servers take more room than they should");
    });
    return record;
  }

  async #receive({ bytes, minBytes }: RemoteFile) {
    const { blobs, maxBytes, eviction } = this.#parts;
    if (minBytes > maxBytes) throw tooLarge(maxBytes);
    try {
      return await blobs.receive(bytes, maxBytes);
    } catch (error) {
      if (error instanceof BlobTooLargeError) throw tooLarge(maxBytes);
      // What can be fetched again makes room for what cannot.
      if (error instanceof StorageError && error.failure === "disk-full") await eviction.makeRoom(freedBytes);
      throw error;
    }
  }

  #remember(error: unknown, key: string): void {
    if (error instanceof RemoteFileError && !passing.includes(error.failure)) {
      this.#failures.set(key, error, { ttl: rememberedMs });
    }
  }

  #turnsWith(serverName: ServerName): Turns {
    const known = this.#turnsOf.get(serverName);
    if (known) return known;
    const turns = new Turns(turnsPerServer, this.#parts.clock);
    this.#turnsOf.set(serverName, turns);
    return turns;
  }
}

function refusalOf(error: RemoteFileError): Error {
  const { failure } = error;
  if (failure === "too-large") return error;
  if (failure === "not-found") return notFound();
  if (failure === "not-yet-uploaded") {
    return new MatrixError("M_NOT_YET_UPLOADED", "The content has not been uploaded yet: try again later");
  }
  if (failure === "busy") {
    return new MatrixError(
      "M_LIMIT_EXCEEDED",
      "The server that has the file is busy: try again in a moment",
      {
        retry_after_ms: 2_000,
      },
    );
  }
  return failure === "unreachable"
    ? new MatrixError("M_CONNECTION_FAILED", "The server that has the file cannot be reached")
    : new MatrixError("M_BAD_STATUS", "The server that has the file does not hand it out");
}

function tooLarge(maxBytes: number): RemoteFileError {
  return new RemoteFileError("too-large", `Files of other servers may have at most ${maxBytes} bytes`);
}

function notFound(): MatrixError {
  return new MatrixError("M_NOT_FOUND", "There is no such file here");
}
