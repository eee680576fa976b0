import type { Test } from "tap";
import type { Database } from "../database.ts";

const preview = {
  fetchedTs: 1000,
  freshUntilTs: 2000,
  properties: '{"og:title":"One"}',
  pictureId: "one",
  pictureBytes: 10,
};
const everything = { fetchedSinceTs: 0, maxPreviews: 100, maxPictureBytes: 1000 };

/** What every back end's store of URL previews does. */
export function urlPreviewStoreContract(t: Test, open: () => Promise<Database>): void {
  t.test("URL previews: the newest of a time is found", async (t) => {
    await using database = await open();
    const { urlPreviews } = database.stores;
    t.equal(await urlPreviews.find("a", 5000), undefined);
    await urlPreviews.put("a", preview);
    const second = { ...preview, fetchedTs: 3000, pictureId: null, pictureBytes: 0 };
    await urlPreviews.put("a", second);
    t.strictSame({ ...(await urlPreviews.find("a", 2999)) }, preview);
    t.strictSame({ ...(await urlPreviews.find("a", 3000)) }, second);
    t.equal(await urlPreviews.find("a", 999), undefined);
    t.equal(await urlPreviews.find("b", 5000), undefined);
    await urlPreviews.put("a", { ...second, properties: "{}" });
    t.match(await urlPreviews.find("a", 3000), { properties: "{}" });
  });

  t.test("URL previews: the old go, and the oldest beyond the bounds, with their pictures", async (t) => {
    await using database = await open();
    const { urlPreviews } = database.stores;
    for (const fetchedTs of [1, 2, 3, 4, 5, 6]) {
      await urlPreviews.put(`url ${fetchedTs}`, { ...preview, fetchedTs, pictureId: `picture ${fetchedTs}` });
    }
    t.strictSame(await urlPreviews.trim(everything), []);
    t.strictSame(await urlPreviews.trim({ ...everything, fetchedSinceTs: 2 }), ["picture 1"]);
    t.strictSame(await urlPreviews.trim({ ...everything, maxPreviews: 4 }), ["picture 2"]);
    t.strictSame(await urlPreviews.trim({ ...everything, maxPictureBytes: 29 }), ["picture 3", "picture 4"]);
    t.equal(await urlPreviews.find("url 4", 100), undefined);
    t.ok(await urlPreviews.find("url 5", 100));
    t.strictSame(await urlPreviews.trim({ ...everything, maxPictureBytes: 20 }), []);
  });
}
