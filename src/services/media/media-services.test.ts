import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Readable, Writable } from "node:stream";
import { buffer } from "node:stream/consumers";
import sharp from "sharp";
import t from "tap";
import { FileBlobStore } from "../../media/file-blob-store.ts";
import { ImageScaler } from "../../media/image-scaler.ts";
import type { ServerName, UserId } from "../../protocol/identifiers.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import { StorageError } from "../../storage/errors.ts";
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
const publicMediaIds = new Set(["icon"]);
const impatient = { waitMs: 0, signal: new AbortController().signal };
const background = { r: 10, g: 200, b: 100 };
const photo = await sharp({ create: { width: 500, height: 500, channels: 3, background } })
  .jpeg()
  .toBuffer();

function failOnFault(error: unknown): never {
  throw error;
}

type Overrides = Partial<MediaChoreParts> & { readonly maxBytesPerUser?: number | null };

/** The services on a database and a folder of their own, at a time that the test sets. */
async function openMedia(folder: string, { maxBytesPerUser = null, ...overrides }: Overrides = {}) {
  const clock = new ManualClock(Date.now());
  const database = await openSqliteDatabase(folder, () => undefined, failOnFault);
  const store = database.stores.media;
  const blobs = await FileBlobStore.open(join(folder, "media"), systemRandomBytes);
  const references = new ReferencedBlobs(blobs, store);
  const arrivals = new UploadArrivals(clock);
  const log = createLogTo(process.stderr, "warn");
  const access = new MediaAccess(store, clock, log);
  const limits = { maxUploadBytes: 1_000_000, maxBytesPerUser };
  const parts = { serverName, store, blobs, references, arrivals, clock, access };
  const uploads = new Uploads({ ...parts, randomBytes: systemRandomBytes, limits });
  const library = new MediaLibrary({
    ...parts,
    frozenSinceTs: clock.nowMs() + dayMs,
    publicMediaIds,
    remote: undefined,
  });
  const chores = mediaChores({
    ...parts,
    library,
    retentionMs: null,
    uriPrefix: `mxc://${serverName}/`,
    keepsFilesOfErasedUsers: false,
    ...overrides,
  });
  const upload = async (bytes: string | Uint8Array, userNid = 1) => {
    const file = {
      bytes: once(bytes),
      announcedBytes: undefined,
      contentType: "image/jpeg",
      filename: undefined,
    };
    return mediaIdOf(await uploads.upload(userNid, file));
  };
  const register = async (userId: string) => {
    const account = {
      userId: userId as UserId,
      passwordHash: null,
      createdTs: 1,
      isAdmin: false,
      isGuest: false,
    };
    const created = await database.stores.accounts.create(
      { ...account, userType: null, appserviceId: null, displayName: null },
      {},
    );
    return created.created ? created.userNid : 0;
  };
  return {
    register,
    fillDisk() {
      blobs.receive = () => Promise.reject(new StorageError("disk-full", "full"));
    },
    emptyDisk() {
      Reflect.deleteProperty(blobs, "receive");
    },
    store,
    blobs,
    references,
    access,
    uploads,
    upload,
    library,
    accounts: database.stores.accounts,
    thumbnails: new Thumbnails(store, blobs, references, new ImageScaler(clock)),
    upkeep: new MediaUpkeep(chores, clock, log),
    pass: (ms: number) => clock.advance(ms),
    pathOf: (sha256: string) => join(folder, "media", sha256.slice(0, 2), sha256),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

async function* once(bytes: string | Uint8Array): AsyncGenerator<Uint8Array> {
  yield Buffer.from(bytes);
}

async function bytesOf(body: Buffer | Readable): Promise<Buffer> {
  return Buffer.isBuffer(body) ? body : buffer(body);
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

t.test("a picture that many ask for at once is read once, and they share it", async (t) => {
  await using media = await openMedia(t.testdir());
  const picture = systemRandomBytes(500_000);
  const content = await media.library.find(serverName, await media.upload(picture), impatient);
  const read = media.blobs.read.bind(media.blobs);
  let reads = 0;
  media.blobs.read = (sha256, range) => {
    reads += 1;
    return read(sha256, range);
  };
  const [whole, again, part] = await Promise.all([
    media.library.read(content, { start: 0, end: 500_000 }),
    media.library.read(content, { start: 0, end: 500_000 }),
    media.library.read(content, { start: 1_000, end: 2_000 }),
  ]);
  t.ok(picture.equals(await bytesOf(whole)));
  t.ok(picture.equals(await bytesOf(again)));
  t.ok(picture.subarray(1_000, 2_000).equals(await bytesOf(part)));
  t.equal(reads, 1);
});

t.test("a read that fails is none of the next one's", async (t) => {
  await using media = await openMedia(t.testdir());
  const content = await media.library.find(serverName, await media.upload(photo), impatient);
  const range = { start: 0, end: content.sizeBytes };
  media.blobs.read = () => Promise.reject(new Error("the disk is away"));
  await t.rejects(media.library.read(content, range), { message: "the disk is away" });
  Reflect.deleteProperty(media.blobs, "read");
  t.ok(photo.equals(await bytesOf(await media.library.read(content, range))));
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

t.test("people who have not signed in get what came before the freeze, and what is public", async (t) => {
  await using media = await openMedia(t.testdir());
  const forAnybody = (mediaId: string) =>
    media.library
      .findForAnybody(serverName, mediaId, impatient, true)
      .then(({ sizeBytes }) => sizeBytes, errcodeOf);
  const before = await media.upload("abc");
  const reserved = mediaIdOf((await media.uploads.reserve(1)).contentUri);
  t.equal(await forAnybody(before), 3);
  t.equal(await forAnybody(reserved), "M_NOT_YET_UPLOADED");
  // The place is given up at the very moment of the freeze.
  media.pass(dayMs - 1);
  const file = { bytes: once("abc"), announcedBytes: 3, contentType: undefined, filename: undefined };
  const lateReserved = mediaIdOf((await media.uploads.reserve(1)).contentUri);
  media.pass(1);
  await media.uploads.uploadTo(1, serverName, lateReserved, file);
  const after = await media.upload("abc");
  t.equal(await forAnybody(before), 3);
  t.equal(await forAnybody(lateReserved), "M_NOT_FOUND", "its content came during the freeze");
  t.equal(await forAnybody(after), "M_NOT_FOUND");
  t.equal((await media.library.find(serverName, after, impatient)).sizeBytes, 3, "users get it");
  const content = { sha256: "ab".repeat(32), sizeBytes: 4, contentType: "image/png", filename: null };
  const icon = { mediaId: "icon", userNid: 1, createdTs: Date.now() + 2 * dayMs, content, expiresTs: null };
  await media.store.insert(icon, null);
  t.equal(await forAnybody("icon"), 4);
});

t.test("files that nobody asks for go when they have been kept long enough", async (t) => {
  await using media = await openMedia(t.testdir(), { retentionMs: 30 * dayMs });
  const [unused, used] = [await media.upload("unused"), await media.upload("used")];
  const { sha256 } = await media.library.find(serverName, unused, impatient);
  media.pass(20 * dayMs);
  await media.library.find(serverName, used, impatient);
  media.pass(9 * dayMs);
  await media.upkeep.tidy();
  t.ok(await media.store.find(unused), "not yet");
  media.pass(2 * dayMs);
  await media.upkeep.tidy();
  t.ok(await media.store.find(unused), "somebody asked for it as well");
  await media.access[Symbol.asyncDispose]();
  media.pass(29 * dayMs);
  await media.library.find(serverName, used, impatient);
  await media.access[Symbol.asyncDispose]();
  await media.upkeep.tidy();
  t.equal(await media.store.find(unused), undefined);
  t.notOk(existsSync(media.pathOf(sha256)));
  t.ok(await media.store.find(used));
});

t.test("what erased users uploaded goes, unless the organisation keeps it", async (t) => {
  for (const keepsFilesOfErasedUsers of [false, true]) {
    const folder = t.testdir();
    await using media = await openMedia(folder, { keepsFilesOfErasedUsers });
    const userNid = await media.register("@gone:hearth.test");
    const mine = await media.upload("mine", userNid);
    const others = await media.upload("others", 99);
    const { sha256 } = await media.library.find(serverName, mine, impatient);
    await media.upkeep.tidy();
    t.ok(await media.store.find(mine), "the account is there");
    await media.accounts.deactivate(userNid, true);
    await media.upkeep.tidy();
    t.equal((await media.store.find(mine)) !== undefined, keepsFilesOfErasedUsers);
    t.equal(existsSync(media.pathOf(sha256)), keepsFilesOfErasedUsers);
    t.ok(await media.store.find(others));
  }
});

t.test("uploads at the same time do not get past a user's bound together", async (t) => {
  await using media = await openMedia(t.testdir(), { maxBytesPerUser: 1000 });
  const outcomes = await Promise.all(
    Array.from({ length: 8 }, (_, index) =>
      media.upload(`${index}`.repeat(400)).then(() => "stored", errcodeOf),
    ),
  );
  t.strictSame(outcomes.toSorted(), [...Array<string>(6).fill("M_FORBIDDEN"), "stored", "stored"]);
  t.equal(await media.store.bytesOf(1), 800);
});

t.test("a chore that fails is logged, and keeps no other from being done", async (t) => {
  const clock = new ManualClock();
  const done: string[] = [];
  const lines: string[] = [];
  const output = new Writable({
    write(chunk: Buffer, _encoding, written) {
      lines.push(chunk.toString());
      written();
    },
  });
  const failing = { name: "failing", run: () => Promise.reject(new Error("no")) };
  const other = {
    name: "other",
    run: async () => {
      done.push("other");
    },
  };
  await using upkeep = new MediaUpkeep([failing, other], clock, createLogTo(output, "error"));
  await upkeep.tidy();
  t.strictSame(done, ["other"]);
  t.match(lines.join(""), /failing/);
});

t.test(
  "a thumbnail that the disk has no room for is handed out all the same, and kept another time",
  async (t) => {
    await using media = await openMedia(t.testdir());
    const content = await media.library.find(serverName, await media.upload(photo), impatient);
    const wish = { width: 96, height: 96, method: "crop", animated: false } as const;
    media.fillDisk();
    const unkept = await media.thumbnails.find(content, wish);
    t.equal(unkept.bytes?.length, unkept.sizeBytes);
    t.notOk(existsSync(media.pathOf(unkept.sha256)));
    media.emptyDisk();
    const kept = await media.thumbnails.find(content, wish);
    t.strictSame({ ...kept, bytes: unkept.bytes }, unkept);
    t.equal(kept.bytes, undefined);
    t.ok(existsSync(media.pathOf(kept.sha256)));
  },
);
