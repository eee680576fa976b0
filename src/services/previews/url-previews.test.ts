import t, { type Test } from "tap";
import { OutboundError } from "../../outbound/errors.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import { openSqliteDatabase } from "../../storage/sqlite/open.ts";
import { createLogTo } from "../../telemetry/log.ts";
import { ManualClock } from "../../telemetry/testing/manual-clock.ts";
import type { FetchedPreview } from "./preview-fetcher.ts";
import { PreviewCache } from "./preview-cache.ts";
import { UrlPreviews } from "./url-previews.ts";

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
const url = "https://example.org/page";

function failOnFault(error: unknown): never {
  throw error;
}

async function* pictures(...sizes: readonly number[]) {
  for (const size of sizes) yield { bytes: Buffer.alloc(size), minPixels: 1 };
}

/** Previews of a site that the test speaks for; a picture of more than 100 bytes is none. */
async function openPreviews(t: Test) {
  const clock = new ManualClock();
  const database = await openSqliteDatabase(t.testdir(), () => undefined, failOnFault);
  t.teardown(() => database[Symbol.asyncDispose]());
  const visits: string[] = [];
  const removed: string[] = [];
  const site = {
    visits,
    removed,
    clock,
    answer: async (): Promise<FetchedPreview | undefined> => undefined,
  };
  let kept = 0;
  const library = {
    async remove(mediaIds: readonly string[]) {
      removed.push(...mediaIds);
    },
  };
  const cache = new PreviewCache(database.stores.urlPreviews, library, clock);
  const previews = new UrlPreviews({
    cache,
    sites: { permits: ({ hostname }) => hostname !== "denied.test" },
    fetcher: {
      fetch(asked, language) {
        visits.push(`${asked.href} ${language}`);
        return site.answer();
      },
    },
    pictures: {
      async keep({ length: sizeBytes }, _minPixels, expiresTs) {
        t.equal(expiresTs - clock.nowMs(), 7 * dayMs);
        if (sizeBytes > 100) return undefined;
        kept += 1;
        const mediaId = `picture${kept}`;
        const uri = `mxc://hearth.test/${mediaId}`;
        return { mediaId, uri, contentType: "image/png", width: 5, height: 6, sizeBytes };
      },
    },
    clock,
    log: createLogTo(process.stderr, "warn"),
  });
  const ask = async (address = url, ts?: number) => {
    try {
      const text = await previews.preview({ url: address, ts, language: "en" });
      return JSON.parse(text) as Record<string, unknown>;
    } catch (error) {
      if (error instanceof MatrixError) return { errcode: error.errcode };
      throw error;
    }
  };
  return Object.assign(site, { cache, ask });
}

const titled = (title: string, maxAgeMs?: number) => async () => ({
  properties: { "og:title": title },
  pictures: pictures(),
  maxAgeMs,
});

t.test("a preview is kept for an hour, or as long as the site says within bounds", async (t) => {
  for (const [maxAgeMs, keptMs] of [
    [undefined, 60 * minuteMs],
    [0, 10 * minuteMs],
    [20 * minuteMs, 20 * minuteMs],
    [30 * dayMs, dayMs],
  ] as const) {
    const site = await openPreviews(t);
    site.answer = titled("One", maxAgeMs);
    t.match(await site.ask(), { "og:title": "One" });
    site.answer = titled("Two");
    site.clock.advance(keptMs - 1);
    t.match(await site.ask(`${url}#part`), { "og:title": "One" });
    t.strictSame(site.visits, [`${url} en`]);
    site.clock.advance(1);
    t.match(await site.ask(), { "og:title": "Two" });
    t.match(await site.ask(url, site.clock.nowMs() - 1), { "og:title": "One" }, "what was there then");
  }
});

t.test("the first picture that is one", async (t) => {
  const site = await openPreviews(t);
  site.answer = async () => ({ properties: {}, pictures: pictures(200, 50, 20), maxAgeMs: undefined });
  t.strictSame(await site.ask(), {
    "og:image": "mxc://hearth.test/picture1",
    "og:image:type": "image/png",
    "og:image:width": 5,
    "og:image:height": 6,
    "matrix:image:size": 50,
  });
});

t.test("a site that does not answer is left alone for a while", async (t) => {
  const site = await openPreviews(t);
  site.answer = async () => {
    throw new OutboundError("unreachable", "no answer");
  };
  t.strictSame(await site.ask(), { errcode: "M_CONNECTION_FAILED" });
  t.strictSame(await site.ask(), { errcode: "M_CONNECTION_FAILED" });
  t.equal(site.visits.length, 1);
  site.answer = titled("Back");
  site.clock.advance(5 * minuteMs);
  t.match(await site.ask(), { "og:title": "Back" });
});

t.test("another failure is no answer, and is not remembered", async (t) => {
  const site = await openPreviews(t);
  site.answer = async () => {
    throw new TypeError("a fault of ours");
  };
  await t.rejects(site.ask(), TypeError);
  site.answer = titled("Mended");
  t.match(await site.ask(), { "og:title": "Mended" });
});

t.test("nothing is asked of sites that are denied, or by addresses that are none", async (t) => {
  const site = await openPreviews(t);
  t.strictSame(await site.ask("https://denied.test/"), { errcode: "M_FORBIDDEN" });
  for (const address of [
    "",
    "example.org",
    "mailto:a@example.org",
    "https://a@example.org/",
    `${url}${"x".repeat(4_096)}`,
  ]) {
    t.strictSame(await site.ask(address), { errcode: "M_INVALID_PARAM" }, address);
  }
  t.strictSame(site.visits, []);
});

t.test("what is old goes, with its picture", async (t) => {
  const site = await openPreviews(t);
  site.answer = async () => ({ properties: {}, pictures: pictures(50), maxAgeMs: undefined });
  await site.ask();
  site.clock.advance(6 * dayMs);
  await site.ask("https://example.org/other");
  await site.cache.trim.run(site.clock.nowMs());
  t.strictSame(site.removed, []);
  site.clock.advance(dayMs + 1);
  await site.cache.trim.run(site.clock.nowMs());
  t.strictSame(site.removed, ["picture1"]);
});
