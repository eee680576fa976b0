import { existsSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import t from "tap";
import { FileBlobStore } from "../../media/file-blob-store.ts";
import { ImageScaler } from "../../media/image-scaler.ts";
import type { ServerName } from "../../protocol/identifiers.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import { openSqliteDatabase } from "../../storage/sqlite/open.ts";
import { createLogTo } from "../../telemetry/log.ts";
import { systemRandomBytes } from "../../telemetry/random.ts";
import { ManualClock } from "../../telemetry/testing/manual-clock.ts";
import { MediaAccess } from "./media-access.ts";
import { type MediaChoreParts, mediaChores } from "./media-chores.ts";
import { MediaLibrary } from "./media-library.ts";
import { MediaUpkeep } from "./media-upkeep.ts";
import { ReferencedBlobs } from "./referenced-blobs.ts";
import { Thumbnails } from "./thumbnails.ts";
import { UploadArrivals } from "./upload-arrivals.ts";
import { Uploads } from "./uploads.ts";

const serverName = "hearth.test" as ServerName;
const dayMs = 24 * 60 * 60 * 1000;
const impatient = { waitMs: 0, signal: new AbortController().signal };
const background = { r: 10, g: 200, b: 100 };
const photo = await sharp({ create: { width: 500, height: 500, channels: 3, background } })
  .jpeg()
  .toBuffer();

function failOnFault(error: unknown): never {
  throw error;
}

/** The services on a database and a folder of their own, at a time that the test sets. */
async function openMedia(folder: string, overrides: Partial<MediaChoreParts> = {}) {
  const clock = new ManualClock(Date.now());
  const database = await openSqliteDatabase(folder, () => undefined, failOnFault);
  const store = database.stores.media;
  const blobs = await FileBlobStore.open(join(folder, "media"), systemRandomBytes);
  const references = new ReferencedBlobs(blobs, store);
  const arrivals = new UploadArrivals(clock);
  const log = createLogTo(process.stderr, "warn");
  const access = new MediaAccess(store, clock, log);
  const limits = { maxUploadBytes: 1_000_000, maxBytesPerUser: null };
  const parts = { serverName, store, blobs, references, arrivals, clock, access };
  const uploads = new Uploads({ ...parts, randomBytes: systemRandomBytes, limits });
  const library = new MediaLibrary({ ...parts, frozenSinceTs: clock.nowMs() + dayMs });
  const chores = mediaChores({
    ...parts,
    library,
    retentionMs: null,
    uriPrefix: `mxc://${serverName}/`,
    keepsFilesOfErasedUsers: false,
    ...overrides,
  });
  const upload = async (bytes: string | Uint8Array) => {
    const file = {
      bytes: once(bytes),
      announcedBytes: undefined,
      contentType: "image/jpeg",
      filename: undefined,
    };
    return mediaIdOf(await uploads.upload(1, file));
  };
  return {
    store,
    references,
    access,
    uploads,
    upload,
    library,
    accounts: database.stores.accounts,
    thumbnails: new Thumbnails(store, blobs, references, new ImageScaler(clock)),
    upkeep: new MediaUpkeep(chores, clock, log),
    pass: (ms: number) => clock.advance(ms),
    pathOf: (sha256: string) => join(folder, "media", sha256.slice(0, 2), sha256.slice(2, 4), sha256),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

async function* once(bytes: string | Uint8Array): AsyncGenerator<Uint8Array> {
  yield Buffer.from(bytes);
}

function mediaIdOf(uri: string): string {
  return uri.split("/").at(-1) ?? "";
}

const errcodeOf = (error: unknown) => (error instanceof MatrixError ? error.errcode : String(error));

t.test("a removed file is gone, with its thumbnails, unless an equal one needs them", async (t) => {
  await using media = await openMedia(t.testdir());
  const [one, two] = [await media.upload(photo), await media.upload(photo)];
  const content = await media.library.find(serverName, one, impatient);
  const wish = { width: 96, height: 96, method: "crop", animated: false } as const;
  const thumbnail = await media.thumbnails.find(content, wish);
  const paths = [content.sha256, thumbnail.sha256].map(media.pathOf);
  await media.library.remove([one]);
  t.equal(await media.library.find(serverName, one, impatient).catch(errcodeOf), "M_NOT_FOUND");
  t.ok(paths.every(existsSync), "the equal file is there");
  t.match(await media.library.find(serverName, two, impatient), content);
  await media.library.remove([two]);
  t.notOk(paths.some(existsSync));
  t.equal(
    await media.thumbnails.find(content, wish).catch(String),
    `BlobMissingError: there is no blob ${content.sha256}`,
  );
});

t.test("a quarantined file is not handed out", async (t) => {
  await using media = await openMedia(t.testdir());
  const one = await media.upload("abc");
  await media.store.setQuarantined(one, true);
  t.equal(await media.library.find(serverName, one, impatient).catch(errcodeOf), "M_NOT_FOUND");
  await media.store.setQuarantined(one, false);
  t.equal((await media.library.find(serverName, one, impatient)).sizeBytes, 3);
});

t.test("a reserved URI that nothing was uploaded to is given up after a day", async (t) => {
  await using media = await openMedia(t.testdir());
  const { contentUri } = await media.uploads.reserve(1);
  const mediaId = mediaIdOf(contentUri);
  t.equal(await media.library.find(serverName, mediaId, impatient).catch(errcodeOf), "M_NOT_YET_UPLOADED");
  media.pass(dayMs);
  t.equal(await media.library.find(serverName, mediaId, impatient).catch(errcodeOf), "M_NOT_FOUND");
  const file = { bytes: once("abc"), announcedBytes: 3, contentType: undefined, filename: undefined };
  t.equal(await media.uploads.uploadTo(1, serverName, mediaId, file).catch(errcodeOf), "M_NOT_FOUND");
  t.ok(await media.store.find(mediaId));
  await media.upkeep.tidy();
  t.equal(await media.store.find(mediaId), undefined);
});

t.test("a blob that a crash left without reference goes after a day, others stay", async (t) => {
  await using media = await openMedia(t.testdir());
  const kept = await media.library.find(serverName, await media.upload("kept"), impatient);
  const lostId = await media.upload("lost");
  const lost = await media.library.find(serverName, lostId, impatient);
  // As after a crash between the removal of the last row and that of the file.
  await media.store.remove([lostId]);
  const sweep = async (nowTs: number) => {
    for (const { sha256 } of [kept, lost]) {
      await media.references.sweep(Number.parseInt(sha256.slice(0, 2), 16), nowTs);
    }
  };
  await sweep(Date.now());
  t.ok(existsSync(media.pathOf(lost.sha256)), "its row may be on its way");
  await sweep(Date.now() + 2 * dayMs);
  t.notOk(existsSync(media.pathOf(lost.sha256)));
  t.ok(existsSync(media.pathOf(kept.sha256)));
});

t.test("when a file was last asked for is written down after a while, and in the end", async (t) => {
  await using media = await openMedia(t.testdir());
  const [one, two] = [await media.upload("abc"), await media.upload("def")];
  t.equal((await media.store.find(one))?.lastAccessTs, null);
  await media.library.find(serverName, one, impatient);
  media.pass(10 * 60_000);
  await media.store.touch([], 0);
  const first = (await media.store.find(one))?.lastAccessTs ?? 0;
  t.ok(first > 0);
  await media.library.find(serverName, two, impatient);
  await media.access[Symbol.asyncDispose]();
  t.equal((await media.store.find(two))?.lastAccessTs, first);
});

t.test("upkeep goes on by itself until it ends", async (t) => {
  await using media = await openMedia(t.testdir());
  const { contentUri } = await media.uploads.reserve(1);
  media.upkeep.start();
  media.pass(dayMs);
  await media.upkeep[Symbol.asyncDispose]();
  t.equal(await media.store.find(mediaIdOf(contentUri)), undefined);
});
