// Measures whether the pictures and links of some keep others waiting: `npm run bench:media [-- seconds]`.
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import sharp from "sharp";
import { registerUser, type TestClient } from "../spec-tests/support/client.ts";
import { mediaPath, upload } from "../spec-tests/support/media.ts";
import { ServerProcess } from "../spec-tests/support/server-process.ts";
import { Website } from "../spec-tests/support/website.ts";

const seconds = Number(process.argv[2] ?? 10);
const probeEveryMs = 20;
const atOnce = 4;

/** Makes one request after the other; the number says which one it is. */
type Load = (index: number) => Promise<Response>;

const photo = await noise(3000, 2000).jpeg().toBuffer();
const icon = await noise(64, 64).png().toBuffer();
const hostile = `<p ${"a=b ".repeat(100_000)}>${"<p>a".repeat(100_000)}<img src=/photo.jpg width=300 height=300>`;

await using site = await Website.start();
await site.serve("/photo.jpg", { headers: { "Content-Type": "image/jpeg" }, body: photo });

const loads: Readonly<Record<string, (alice: TestClient) => Load>> = {
  nothing: () => () => delay(100).then(() => new Response()),
  thumbnails: (alice) => async (index) => {
    // Other bytes at the end are another picture to the server.
    const uri = await upload(alice, Buffer.concat([photo, Buffer.from(String(index))]), {
      type: "image/jpeg",
    });
    return get(alice, mediaPath("thumbnail", uri, "?width=800&height=600"));
  },
  "url previews": (alice) => async (index) => {
    const url = await site.html(`/page${index}.html`, hostile);
    return get(alice, `/_matrix/client/v1/media/preview_url?url=${encodeURIComponent(url)}`);
  },
  "uploads and downloads": (alice) => async () => {
    const uri = await upload(alice, randomBytes(5_000_000));
    return get(alice, mediaPath("download", uri));
  },
};

for (const [name, makeLoad] of Object.entries(loads)) {
  process.env["NODE_OPTIONS"] = `--import=${join(import.meta.dirname, "bench/loop-delay.mjs")}`;
  const server = await ServerProcess.prepare({
    url_previews: { enabled: true, allowed_private_ranges: ["127.0.0.1"] },
  });
  const delayFile = join(server.folder, "loop-delay.json");
  process.env["BENCH_LOOP_DELAY"] = delayFile;
  await server.start();
  const alice = await registerUser(server);
  const { done, probesMs } = await underLoad(alice, makeLoad(alice));
  await server.end("SIGTERM");
  const figures = JSON.parse(readFileSync(delayFile, "utf8")) as Record<"p50" | "p99" | "max", number>;
  process.stdout.write(
    `${name}: ${done} done; an avatar beside it p50 ${at(probesMs, 0.5)}, p99 ${at(probesMs, 0.99)} ms; ` +
      `event-loop delay p50 ${figures.p50}, p99 ${figures.p99}, maximum ${figures.max} ms\n`,
  );
  await server[Symbol.asyncDispose]();
}

function noise(width: number, height: number) {
  return sharp(randomBytes(width * height * 3), { raw: { width, height, channels: 3 } });
}

function get({ server, accessToken }: TestClient, path: string): Promise<Response> {
  return fetch(server.url + path, { headers: { Authorization: `Bearer ${accessToken}` } });
}

/** Asks for an avatar every now and then while the load is on. */
async function underLoad(alice: TestClient, load: Load): Promise<{ done: number; probesMs: number[] }> {
  const avatar = mediaPath("download", await upload(alice, icon, { type: "image/png" }));
  const endMs = performance.now() + seconds * 1000;
  let asked = 0;
  let done = 0;
  const work = async () => {
    while (performance.now() < endMs) {
      asked += 1;
      const response = await load(asked);
      await response.arrayBuffer();
      if (!response.ok) throw new Error(`the load was answered ${response.status}`);
      done += 1;
    }
  };
  const working = Array.from({ length: atOnce }, work);
  const probesMs: number[] = [];
  while (performance.now() < endMs) {
    const startMs = performance.now();
    await (await get(alice, avatar)).arrayBuffer();
    probesMs.push(performance.now() - startMs);
    await delay(probeEveryMs);
  }
  await Promise.all(working);
  return { done, probesMs };
}

function at(timesMs: readonly number[], share: number): string {
  const sorted = timesMs.toSorted((a, b) => a - b);
  return (sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN).toFixed(1);
}
