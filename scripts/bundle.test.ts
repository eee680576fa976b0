import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import sharp from "sharp";
import t from "tap";
import { registerUser } from "../spec-tests/support/client.ts";
import { fetchBytes, mediaPath, upload } from "../spec-tests/support/media.ts";
import { createRoom, say } from "../spec-tests/support/rooms.ts";
import { searchAll } from "../spec-tests/support/search.ts";
import { freePort } from "../spec-tests/support/free-port.ts";
import { ServerProcess } from "../spec-tests/support/server-process.ts";
import { foundWithin, patienceMs } from "../spec-tests/support/within.ts";
import { Website } from "../spec-tests/support/website.ts";
import { bundle } from "./bundle.ts";
import { buildConsole } from "./console.ts";
import { sourceStamp } from "./source-stamp.mjs";

/** It takes 88 MiB with Node.js 26.10; the rest is for other builds of Node.js. */
const maxIdleMib = 97;

const root = join(import.meta.dirname, "..");
// All of it takes a second or two, on a busy machine a minute.
t.setTimeout(120_000);
const folder = t.testdir({ "package.json": readFileSync(join(root, "package.json"), "utf8") });
const dist = join(folder, "dist");
const olderOnes = Array.from({ length: 12 }, (_, number) => join(folder, `dist-${number}`));
for (const [madeAt, path] of olderOnes.entries()) {
  mkdirSync(path);
  utimesSync(path, madeAt, madeAt);
}
await Promise.all([bundle(dist), bundle(dist)]);

t.test("it is put in place by several starts at once, and of others the newest are left", (t) => {
  const left = readdirSync(folder).filter((name) => !["dist", "package.json"].includes(name));
  t.same(
    left.toSorted(),
    olderOnes
      .slice(-left.length)
      .map((path) => basename(path))
      .toSorted(),
  );
  t.ok(left.length >= 8 && left.length <= 9, `${left.length} are left`);
  t.end();
});

t.test("one that is there is not changed", async (t) => {
  const file = join(folder, "dist-11/main.js");
  writeFileSync(file, "of a server that runs");
  await bundle(dirname(file));
  t.same(readdirSync(dirname(file)), ["main.js"]);
});

t.test("another source has another stamp, though its files are older", (t) => {
  const tree = t.testdir({ src: { inner: { "a.ts": "1", "b.ts": "2" } }, "package.json": "{}" });
  const first = sourceStamp(tree);
  t.equal(sourceStamp(tree), first);
  const file = join(tree, "src/inner/a.ts");
  utimesSync(file, 1_000_000_000, 1_000_000_000);
  const older = sourceStamp(tree);
  t.not(older, first);
  writeFileSync(file, "longer");
  utimesSync(file, 1_000_000_000, 1_000_000_000);
  t.not(sourceStamp(tree), older);
  const copy = join(tree, "../copied-source");
  t.teardown(() => rmSync(copy, { recursive: true }));
  cpSync(tree, copy, { recursive: true, preserveTimestamps: true });
  t.equal(sourceStamp(copy), sourceStamp(tree));
  writeFileSync(join(copy, "src/c.ts"), "");
  t.not(sourceStamp(copy), sourceStamp(tree));
  t.end();
});

t.test("every program of a worker thread stands beside the others", (t) => {
  const sources = globSync("src/**/*.ts", { cwd: root }).map((file) =>
    readFileSync(join(root, file), "utf8"),
  );
  const names = sources.flatMap((text) =>
    [...text.matchAll(/workerScript\("([^"]+)"/g)].map((found) => found[1]),
  );
  t.ok(names.length > 4);
  t.same(
    names.filter((name) => !existsSync(join(dist, `${name}.js`))),
    [],
  );
  t.end();
});

t.test("the licences of what is in the bundle are given along", (t) => {
  const text = readFileSync(join(dist, "licenses.txt"), "utf8");
  for (const name of ["koa", "@koa/router", "typebox", "oidc-provider"]) {
    t.match(text, new RegExp(`^${name} [0-9.]+ \\(MIT\\)$`, "m"));
  }
  t.match(text, "Permission is hereby granted");
  t.end();
});

t.test("the bundle serves, with all that it loads only when it is needed", async (t) => {
  const site = await Website.start();
  t.teardown(() => site[Symbol.asyncDispose]());
  const previews = { enabled: true, allowed_private_ranges: ["127.0.0.1"] };
  const metrics = { bind: "127.0.0.1", port: await freePort(), apis: ["metrics"] };
  const server = await ServerProcess.prepare(
    { url_previews: previews },
    { mainFile: join(dist, "main.js"), listeners: [metrics] },
  );
  t.teardown(() => server[Symbol.asyncDispose]());
  await server.start();
  const alice = await registerUser(server, "alice");
  const roomId = await createRoom(alice, {});
  const message = await say(alice, roomId, "packed into few files");
  t.same(await searchAll(alice, "packed", {}), [message], "the index of messages");
  const page = await site.html("/page.html", "<html><head><title>A page</title></head></html>");
  const path = `/_matrix/client/v1/media/preview_url?url=${encodeURIComponent(page)}`;
  t.match((await fetchBytes(alice, "getUrlPreviewAuthed", path)).json, { "og:title": "A page" });
  const picture = await sharp({ create: { width: 600, height: 400, channels: 3, background: "#0a0" } })
    .png()
    .toBuffer();
  const uri = await upload(alice, picture);
  const query = "?width=32&height=32&method=crop";
  t.equal(
    (await fetchBytes(alice, "getContentThumbnailAuthed", mediaPath("thumbnail", uri, query))).status,
    200,
  );
  const metadata = await alice.get("/_matrix/client/v1/auth_metadata", "getAuthMetadata");
  t.match(metadata.body, { issuer: `${server.url}/` });
  const counted = await (await fetch(`http://127.0.0.1:${metrics.port}/metrics`)).text();
  t.match(counted, /^hearth_http_request_seconds_count\{operation="sendMessage",status="2xx"\} 1$/m);
  t.same(server.complaints, []);
  t.equal((await server.end("SIGTERM")).code, 0);
});

t.test("the console is served as browsers take it, and nothing but the console", async (t) => {
  await Promise.all([buildConsole(join(dist, "console")), buildConsole(join(dist, "console"))]);
  const server = await ServerProcess.prepare({}, { mainFile: join(dist, "main.js") });
  t.teardown(() => server[Symbol.asyncDispose]());
  await server.start();
  const page = await fetch(`${server.url}/_hearth/console`);
  const policy = page.headers.get("content-security-policy") ?? "";
  const html = await page.text();
  const [, nonce = ""] = /name="style-nonce" content="([^"]+)"/.exec(html) ?? [];
  t.match(policy, `style-src 'self' 'nonce-${nonce}'`);
  t.match(policy, /^default-src 'none'; script-src 'self'; /);
  t.notMatch(policy, "unsafe");
  t.notMatch(await (await fetch(`${server.url}/_hearth/console/`)).text(), nonce, "a nonce counts once");
  t.notMatch(html, /<script(?! type="module" src="[^"]+"><)|<style|style=|\{/, "nothing is inline");
  const paths = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path = ""]) => path);
  t.equal(paths.length, 3);
  for (const path of paths) {
    for (const encoding of ["br", "gzip", "identity"]) {
      const file = await fetch(server.url + path, { headers: { "accept-encoding": encoding } });
      t.equal(file.headers.get("content-encoding") ?? "identity", encoding, path);
      t.match(file.headers.get("cache-control"), "immutable");
      t.ok((await file.bytes()).length > 100);
      const headers = { "accept-encoding": encoding, "if-none-match": file.headers.get("etag") ?? "" };
      t.equal((await fetch(server.url + path, { headers })).status, 304);
    }
  }
  for (const file of ["..%2findex.html", "%2e%2e%2f%2e%2e%2fmain.js", "main.js", "a.js.br", ".."]) {
    t.equal((await fetch(`${server.url}/_hearth/console/v1/assets/${file}`)).status, 404, file);
  }
  t.same(server.complaints, []);
});

t.test("the text of the program takes a byte a letter", (t) => {
  // A letter beyond Latin-1 has V8 keep all of a file with two. Small files may: they are of hardly any weight.
  const twice = globSync("*.js", { cwd: dist }).filter((file) => {
    const text = readFileSync(join(dist, file), "utf8");
    return text.length > 100_000 && /[^\0-\xff]/.test(text);
  });
  t.same(twice, []);
  t.end();
});

const isLinux = process.platform === "linux";

t.test("an idle server with an empty database takes little memory", { skip: !isLinux }, async (t) => {
  const server = await ServerProcess.prepare({}, { mainFile: join(dist, "main.js") });
  t.teardown(() => server[Symbol.asyncDispose]());
  await server.start();
  // It gives back what the start took a second after it.
  const isSmall = await foundWithin(patienceMs, () => residentMib(server.pid) < maxIdleMib);
  t.equal(isSmall, true, `${residentMib(server.pid)} MiB`);
  await delay(3_000);
  t.ok(residentMib(server.pid) < maxIdleMib, "nothing begins that nobody has asked for");
});

function residentMib(pid: number): number {
  const text = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(text)?.[1]) / 1024;
}
