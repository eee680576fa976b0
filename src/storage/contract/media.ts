import type { Test } from "tap";
import type { Database } from "../database.ts";

const picture = { sha256: "aa".repeat(32), sizeBytes: 10, contentType: "image/png", filename: "a.png" };
const other = { ...picture, sha256: "bb".repeat(32), filename: null };
const thumbnail = { sha256: "cc".repeat(32), sizeBytes: 5, contentType: "image/jpeg" };

/** What every back end's media store does. */
export function mediaStoreContract(t: Test, open: () => Promise<Database>): void {
  t.test("media: an upload is read back", async (t) => {
    await using database = await open();
    const { media } = database.stores;
    await media.insert("one", 1, 100, picture);
    t.strictSame(await media.find("one"), {
      mediaId: "one",
      userNid: 1,
      createdTs: 100,
      content: picture,
      expiresTs: null,
      quarantined: false,
      lastAccessTs: null,
    });
    t.equal(await media.find("two"), undefined);
    await media.touch(["one", "two"], 500);
    await media.setQuarantined("one", true);
    t.match(await media.find("one"), { quarantined: true, lastAccessTs: 500 });
    await media.insert("two", 1, 100, other);
    t.equal(await media.bytesOf(1), 20);
    t.equal(await media.bytesOf(2), 0);
  });

  t.test("media: a reserved place takes content once, and expires without", async (t) => {
    await using database = await open();
    const { media } = database.stores;
    t.equal(await media.reserve("one", 1, 100, 200, 2), true);
    t.equal(await media.reserve("two", 1, 100, 200, 2), true);
    t.equal(await media.reserve("three", 1, 100, 200, 2), false, "two are pending");
    t.equal(await media.reserve("other", 2, 100, 200, 2), true, "of another user");
    t.match(await media.find("one"), { content: null, expiresTs: 200 });
    t.equal(await media.bytesOf(1), 0);
    t.equal(await media.complete("one", picture), "completed");
    t.equal(await media.complete("one", other), "has-content");
    t.equal(await media.complete("never", picture), "unknown");
    t.match(await media.find("one"), { content: picture, expiresTs: null });
    t.equal(await media.reserve("three", 1, 150, 300, 2), true, "completed ones do not count");
    t.equal(await media.reserve("four", 1, 201, 300, 2), true, "expired ones do not count");
    t.equal(await media.removeExpired(200, 1), 1);
    t.equal(await media.removeExpired(200, 10), 1);
    t.equal(await media.find("two"), undefined);
    t.ok(await media.find("one"));
    t.ok(await media.find("three"));
  });

  t.test("media: a blob is let go with the last that refers to it", async (t) => {
    await using database = await open();
    const { media } = database.stores;
    await media.insert("one", 1, 100, picture);
    await media.insert("two", 2, 100, picture);
    t.equal(await media.putThumbnail(picture.sha256, "crop 32", thumbnail), true);
    t.equal(
      await media.putThumbnail(picture.sha256, "scale 800", { ...picture }),
      true,
      "the picture itself",
    );
    t.strictSame(await media.remove("one"), []);
    t.match(await media.findThumbnail(picture.sha256, "crop 32"), thumbnail);
    const all = [picture.sha256, other.sha256, thumbnail.sha256];
    t.strictSame(await media.unreferenced(all), [other.sha256]);
    t.strictSame((await media.remove("two")).sort(), [picture.sha256, thumbnail.sha256]);
    t.strictSame(await media.unreferenced(all), all);
    t.equal(await media.findThumbnail(picture.sha256, "crop 32"), undefined);
    t.strictSame(await media.remove("two"), []);
  });

  t.test(
    "media: a thumbnail stays while it is an upload or another picture's thumbnail as well",
    async (t) => {
      await using database = await open();
      const { media } = database.stores;
      await media.insert("one", 1, 100, picture);
      await media.insert("two", 1, 100, other);
      for (const source of [picture, other]) await media.putThumbnail(source.sha256, "crop 32", thumbnail);
      t.strictSame(await media.remove("one"), [picture.sha256]);
      await media.insert("three", 1, 100, { ...thumbnail, filename: null });
      t.strictSame(await media.remove("two"), [other.sha256]);
      t.strictSame(await media.remove("three"), [thumbnail.sha256]);
    },
  );

  t.test("media: no thumbnail is stored for what has gone, and the first one stays", async (t) => {
    await using database = await open();
    const { media } = database.stores;
    t.equal(await media.putThumbnail(picture.sha256, "crop 32", thumbnail), false);
    await media.insert("one", 1, 100, picture);
    await media.putThumbnail(picture.sha256, "crop 32", thumbnail);
    t.equal(await media.putThumbnail(picture.sha256, "crop 32", { ...thumbnail, sizeBytes: 6 }), true);
    t.match(await media.findThumbnail(picture.sha256, "crop 32"), { sizeBytes: 5 });
  });

  t.test("media: a place without content refers to no blob", async (t) => {
    await using database = await open();
    const { media } = database.stores;
    await media.reserve("one", 1, 100, 200, 2);
    t.strictSame(await media.remove("one"), []);
    t.equal(await media.find("one"), undefined);
  });
}
