import type { Test } from "tap";
import type { UserId } from "../../protocol/identifiers.ts";
import type { Database } from "../database.ts";

const picture = { sha256: "aa".repeat(32), sizeBytes: 10, contentType: "image/png", filename: "a.png" };
const other = { ...picture, sha256: "bb".repeat(32), filename: null };
const thumbnail = { sha256: "cc".repeat(32), sizeBytes: 5, contentType: "image/jpeg" };

const kept = { userNid: 1, createdTs: 100, expiresTs: null };
const one = { ...kept, mediaId: "one", content: picture };
const two = { ...kept, mediaId: "two", content: other };

/** What every back end's media store does. */
export function mediaStoreContract(t: Test, open: () => Promise<Database>): void {
  t.test("media: an upload is read back", async (t) => {
    await using database = await open();
    const { media } = database.stores;
    await media.insert(one, null);
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
    await media.insert(two, null);
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
    t.equal(await media.complete("one", picture, 150, null), "completed");
    t.equal(await media.complete("one", other, 150, null), "has-content");
    t.equal(await media.complete("never", picture, 150, null), "unknown");
    t.equal(await media.complete("two", picture, 200, null), "unknown", "it has expired");
    t.match(await media.find("one"), { content: picture, createdTs: 150, expiresTs: null });
    t.equal(await media.reserve("three", 1, 150, 300, 2), true, "completed ones do not count");
    t.equal(await media.reserve("four", 1, 201, 300, 2), true, "expired ones do not count");
    t.equal((await media.listExpired(200, 1)).length, 1);
    t.strictSame((await media.listExpired(200, 10)).toSorted(), ["other", "two"]);
    t.strictSame(await media.remove(["other", "two"]), []);
    t.equal(await media.find("two"), undefined);
  });

  t.test("media: a user's files have a bound, which is kept by what stores them", async (t) => {
    await using database = await open();
    const { media } = database.stores;
    t.equal(await media.insert(one, 15), "stored");
    t.equal(await media.insert(two, 15), "over-quota");
    t.equal(await media.find("two"), undefined);
    await media.reserve("three", 1, 100, 200, 2);
    t.equal(await media.complete("three", other, 150, 19), "over-quota");
    t.match(await media.find("three"), { content: null });
    t.equal(await media.complete("three", other, 150, 20), "completed");
    t.equal(await media.insert({ ...two, userNid: 2 }, 15), "stored", "another user's bound");
    t.equal(await media.insert({ ...two, mediaId: "own", userNid: null }, 1), "stored", "the server's own");
  });

  t.test("media: an equal file is quarantined as well, whenever it comes", async (t) => {
    await using database = await open();
    const { media } = database.stores;
    await media.insert(one, null);
    await media.insert({ ...one, mediaId: "before", userNid: 2 }, null);
    await media.insert(two, null);
    await media.setQuarantined("one", true);
    await media.insert({ ...one, mediaId: "after" }, null);
    await media.reserve("later", 1, 100, 200, 2);
    await media.complete("later", picture, 150, null);
    for (const mediaId of ["one", "before", "after", "later"]) {
      t.match(await media.find(mediaId), { quarantined: true }, mediaId);
    }
    t.match(await media.find("two"), { quarantined: false });
    await media.setQuarantined("after", false);
    t.match(await media.find("one"), { quarantined: false });
  });

  t.test("media: what nobody has asked for in long, but for avatars and what is quarantined", async (t) => {
    await using database = await open();
    const { media, accounts, profiles } = database.stores;
    const account = { userId: "@a:hearth.test" as UserId, passwordHash: null, createdTs: 1, isAdmin: false };
    const created = await accounts.create(
      {
        ...account,
        isGuest: false,
        userType: null,
        appserviceId: null,
        displayName: null,
      },
      {},
    );
    const userNid = created.created ? created.userNid : 0;
    const ids = ["old", "asked", "new", "avatar", "bad", "fetched"];
    for (const mediaId of ids) {
      const content = { ...picture, sha256: mediaId.padEnd(64, "0") };
      const createdTs = mediaId === "new" ? 1000 : 100;
      await media.insert(
        { mediaId, content, createdTs, userNid: mediaId === "fetched" ? null : userNid, expiresTs: null },
        null,
      );
    }
    await media.reserve("place", userNid, 100, 5000, 2);
    await media.touch(["asked"], 900);
    await media.setQuarantined("bad", true);
    await profiles.put(userNid, { name: "avatar_url", value: '"mxc://hearth.test/avatar"' }, 1000);
    t.strictSame(await media.listUnused(900, "mxc://hearth.test/", 10), ["old"]);
    t.strictSame((await media.listUnused(901, "mxc://hearth.test/", 10)).toSorted(), ["asked", "old"]);
    t.equal((await media.listUnused(901, "mxc://hearth.test/", 1)).length, 1);
    t.strictSame(await media.listOfErasedUsers(10), []);
    await accounts.deactivate(userNid, true);
    t.strictSame(
      (await media.listOfErasedUsers(10)).toSorted(),
      [...ids, "place"].filter((id) => id !== "fetched").toSorted(),
    );
    t.equal((await media.listOfErasedUsers(2)).length, 2);
  });

  t.test("media: a blob is let go with the last that refers to it", async (t) => {
    await using database = await open();
    const { media } = database.stores;
    await media.insert(one, null);
    await media.insert({ ...two, userNid: 2, content: picture }, null);
    t.equal(await media.putThumbnail(picture.sha256, "crop 32", thumbnail), true);
    t.equal(
      await media.putThumbnail(picture.sha256, "scale 800", { ...picture }),
      true,
      "the picture itself",
    );
    t.strictSame(await media.remove(["one"]), []);
    t.match(await media.findThumbnail(picture.sha256, "crop 32"), thumbnail);
    const all = [picture.sha256, other.sha256, thumbnail.sha256];
    t.strictSame(await media.unreferenced(all), [other.sha256]);
    t.strictSame((await media.remove(["two"])).sort(), [picture.sha256, thumbnail.sha256]);
    t.strictSame(await media.unreferenced(all), all);
    t.equal(await media.findThumbnail(picture.sha256, "crop 32"), undefined);
    t.strictSame(await media.remove(["two"]), []);
  });

  t.test(
    "media: a thumbnail stays while it is an upload or another picture's thumbnail as well",
    async (t) => {
      await using database = await open();
      const { media } = database.stores;
      await media.insert(one, null);
      await media.insert(two, null);
      for (const source of [picture, other]) await media.putThumbnail(source.sha256, "crop 32", thumbnail);
      t.strictSame(await media.remove(["one"]), [picture.sha256]);
      await media.insert({ ...kept, mediaId: "three", content: { ...thumbnail, filename: null } }, null);
      t.strictSame(await media.remove(["two"]), [other.sha256]);
      t.strictSame(await media.remove(["three"]), [thumbnail.sha256]);
    },
  );

  t.test("media: no thumbnail is stored for what has gone, and the first one stays", async (t) => {
    await using database = await open();
    const { media } = database.stores;
    t.equal(await media.putThumbnail(picture.sha256, "crop 32", thumbnail), false);
    await media.insert(one, null);
    await media.putThumbnail(picture.sha256, "crop 32", thumbnail);
    t.equal(await media.putThumbnail(picture.sha256, "crop 32", { ...thumbnail, sizeBytes: 6 }), true);
    t.match(await media.findThumbnail(picture.sha256, "crop 32"), { sizeBytes: 5 });
  });

  t.test("media: a place without content refers to no blob", async (t) => {
    await using database = await open();
    const { media } = database.stores;
    await media.reserve("one", 1, 100, 200, 2);
    t.strictSame(await media.remove(["one"]), []);
    t.equal(await media.find("one"), undefined);
  });
}
