import type { Test } from "tap";
import type { Database } from "../database.ts";

const content = { sha256: "aa".repeat(32), sizeBytes: 10, contentType: "image/png", filename: "a.png" };
const other = { ...content, sha256: "bb".repeat(32), filename: null, sizeBytes: 5 };
const thumbnail = { sha256: "cc".repeat(32), sizeBytes: 5, contentType: "image/jpeg" };
const one = { serverName: "a.test", mediaId: "one" };
const two = { serverName: "b.test", mediaId: "one" };
const three = { serverName: "a.test", mediaId: "three" };
const upload = { mediaId: "one", userNid: 1, createdTs: 100, expiresTs: null };

/** What every back end's store of other servers' files does. */
export function remoteMediaStoreContract(t: Test, open: () => Promise<Database>): void {
  t.test("remote media: a file is known by its server and its ID there", async (t) => {
    await using database = await open();
    const { remoteMedia } = database.stores;
    t.strictSame(await remoteMedia.put(one, content, 100), { content, fetchedTs: 100, quarantined: false });
    await remoteMedia.put(two, other, 200);
    t.strictSame(await remoteMedia.find(one), { content, fetchedTs: 100, quarantined: false });
    t.match(await remoteMedia.find(two), { content: other, fetchedTs: 200 });
    t.equal(await remoteMedia.find(three), undefined);
    t.equal(await remoteMedia.totalBytes(), 15);
    await database.stores.media.putThumbnail(content.sha256, "crop", { ...thumbnail, sizeBytes: 7 });
    await database.stores.media.putThumbnail(other.sha256, "scale", other);
    t.equal(await remoteMedia.totalBytes(), 22, "with thumbnails, but for what is its own");
    t.equal(await database.stores.media.find("one"), undefined, "it is no upload");
  });

  t.test("remote media: those that nobody has asked for longest come first", async (t) => {
    await using database = await open();
    const { remoteMedia } = database.stores;
    await remoteMedia.put(one, content, 100);
    await remoteMedia.put(two, other, 200);
    await remoteMedia.put(three, { ...other, sha256: "dd".repeat(32) }, 300);
    t.strictSame(await remoteMedia.listUnused(1_000, 2), [
      { ...one, sizeBytes: 10 },
      { ...two, sizeBytes: 5 },
    ]);
    await remoteMedia.touch([one], 400);
    t.match(await remoteMedia.listUnused(400, 10), [two, three]);
    await remoteMedia.setQuarantined(two, true);
    t.match(await remoteMedia.listUnused(400, 10), [three]);
    t.equal((await remoteMedia.listUnused(400, 10)).length, 1, "what is quarantined would be fetched again");
  });

  t.test("remote media: blobs go with the last file that has them, whose ever it is", async (t) => {
    await using database = await open();
    const { remoteMedia, media } = database.stores;
    await remoteMedia.put(one, content, 100);
    await remoteMedia.put(two, content, 100);
    t.equal(await media.putThumbnail(content.sha256, "crop", thumbnail), true);
    await media.insert({ ...upload, content }, null);
    t.strictSame(await remoteMedia.remove([one]), []);
    t.strictSame(await media.remove(["one"]), []);
    t.strictSame(await media.unreferenced([content.sha256, thumbnail.sha256]), []);
    t.strictSame((await remoteMedia.remove([two, three])).toSorted(), [content.sha256, thumbnail.sha256]);
    t.equal(await media.findThumbnail(content.sha256, "crop"), undefined);
    t.equal(await media.putThumbnail(content.sha256, "crop", thumbnail), false);
  });

  t.test("remote media: what is quarantined is so under every name", async (t) => {
    await using database = await open();
    const { remoteMedia, media } = database.stores;
    await remoteMedia.put(one, content, 100);
    await media.insert({ ...upload, content }, null);
    await remoteMedia.setQuarantined(one, true);
    t.match(await media.find("one"), { quarantined: true });
    t.match(await remoteMedia.put(two, content, 200), { quarantined: true });
    await media.setQuarantined("one", false);
    t.match(await remoteMedia.find(one), { quarantined: false });
    t.match(await remoteMedia.find(two), { quarantined: false });
    await media.setQuarantined("one", true);
    t.match(await remoteMedia.put(three, content, 300), { quarantined: true });
  });
}
