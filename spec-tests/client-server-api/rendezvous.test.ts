import { MSC4108RendezvousSession } from "matrix-js-sdk/lib/rendezvous/index.js";
import t, { type Test } from "tap";
import { anonymous, registerGuest, registerUser, type TestAnswer } from "../support/client.ts";
import { freePort } from "../support/free-port.ts";
import { rawRequest } from "../support/raw-request.ts";
import { startServer } from "../support/server.ts";

const port = await freePort();
const publicUrl = `http://127.0.0.1:${port}`;
const listeners = [{ bind: "127.0.0.1", port, apis: ["client"] }];
const server = await startServer({ listeners, public_base_url: publicUrl });
t.teardown(() => server[Symbol.asyncDispose]());
const textPath = "/_matrix/client/unstable/org.matrix.msc4108/rendezvous";
const jsonPath = "/_matrix/client/unstable/io.element.msc4388/rendezvous";
const plain = { "Content-Type": "text/plain" };

function create(body = "hello", headers: Record<string, string> = plain): Promise<Response> {
  return fetch(server.url + textPath, { method: "POST", body, headers });
}

async function createdUrl(body?: string): Promise<{ url: string; etag: string }> {
  const response = await create(body);
  const { url } = (await response.json()) as { url: string };
  return { url, etag: response.headers.get("ETag") ?? "" };
}

async function refused(t: Test, response: Response, status: number, errcode: string): Promise<void> {
  const body = (await response.json()) as Record<string, unknown>;
  t.strictSame([response.status, body["errcode"]], [status, errcode], JSON.stringify(body));
}

function commonHeaders(t: Test, { headers }: Response): void {
  t.match(headers.get("ETag"), /^"[\w-]+"$/);
  t.equal(headers.get("Cache-Control"), "no-store");
  t.equal(headers.get("Pragma"), "no-cache");
  const expiresTs = Date.parse(headers.get("Expires") ?? "");
  const modifiedTs = Date.parse(headers.get("Last-Modified") ?? "");
  t.ok(expiresTs - modifiedTs > 200_000 && expiresTs - modifiedTs <= 300_000, `${expiresTs} ${modifiedTs}`);
}

t.test("createTextRendezvous, getTextRendezvous, putTextRendezvous, deleteTextRendezvous", async (t) => {
  const created = await create("hello, é");
  t.equal(created.status, 201);
  commonHeaders(t, created);
  t.match(created.headers.get("Content-Type"), /^application\/json/);
  const { url } = (await created.json()) as { url: string };
  t.ok(url.startsWith(`${publicUrl}/_matrix/`), url);

  const read = await fetch(url);
  t.strictSame([read.status, await read.text()], [200, "hello, é"]);
  t.equal(read.headers.get("Content-Type"), "text/plain");
  commonHeaders(t, read);
  const etag = read.headers.get("ETag") ?? "";
  t.equal(etag, created.headers.get("ETag"));

  const unchanged = await fetch(url, { headers: { "If-None-Match": etag } });
  t.equal(unchanged.status, 304);
  commonHeaders(t, unchanged);
  const put = await fetch(url, { method: "PUT", body: "hello, é", headers: { ...plain, "If-Match": etag } });
  t.strictSame([put.status, await put.text()], [202, ""]);
  commonHeaders(t, put);
  t.not(put.headers.get("ETag"), etag, "the same words are another payload");
  const changed = await fetch(url, { headers: { "If-None-Match": etag } });
  t.strictSame([changed.status, changed.headers.get("ETag")], [200, put.headers.get("ETag")]);

  const late = await fetch(url, { method: "PUT", body: "late", headers: { ...plain, "If-Match": etag } });
  t.equal(late.status, 412);
  commonHeaders(t, late);
  t.match(await late.json(), { errcode: "M_UNKNOWN", "org.matrix.msc4108.errcode": "M_CONCURRENT_WRITE" });

  const ended = await fetch(url, { method: "DELETE" });
  t.strictSame([ended.status, await ended.text()], [204, ""]);
  await refused(t, await fetch(url), 404, "M_NOT_FOUND");
  await refused(t, await fetch(url, { method: "DELETE" }), 404, "M_NOT_FOUND");
});

t.test("createTextRendezvous, putTextRendezvous: what is refused", async (t) => {
  const { url, etag } = await createdUrl("");
  await refused(t, await create("x", { "Content-Type": "application/json" }), 400, "M_INVALID_PARAM");
  await refused(t, await create("x".repeat(4_097)), 413, "M_TOO_LARGE");
  t.equal((await create("x".repeat(4_096))).status, 201);
  t.equal(
    (await create("x", { "Content-Type": "text/plain;charset=UTF-8" })).status,
    201,
    "a browser adds it",
  );
  const untyped = await rawRequest(server.url, { method: "POST", path: textPath, body: "x", headers: {} });
  t.match(untyped, { status: 400 });
  const put = (headers: Record<string, string>, body = "y") => fetch(url, { method: "PUT", body, headers });
  await refused(t, await put(plain), 400, "M_MISSING_PARAM");
  for (const malformed of ["abc", `W/${etag}`, `${etag}, "other"`, "*", ""]) {
    await refused(t, await put({ ...plain, "If-Match": malformed }), 400, "M_INVALID_PARAM");
  }
  await refused(t, await put({ ...plain, "If-Match": etag }, "x".repeat(4_097)), 413, "M_TOO_LARGE");
  t.equal((await fetch(url)).headers.get("ETag"), etag, "nothing has changed");
  const unknown = { method: "PUT", body: "y", headers: { ...plain, "If-Match": etag } };
  await refused(t, await fetch(`${server.url}${textPath}/unknown`, unknown), 404, "M_NOT_FOUND");
});

t.test("getTextRendezvous: pages of browsers may read and write, and see the ETag", async (t) => {
  const { url } = await createdUrl();
  const asked = { "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "if-match" };
  const preflight = await fetch(url, {
    method: "OPTIONS",
    headers: { Origin: "https://app.test", ...asked },
  });
  t.match(preflight.headers.get("Access-Control-Allow-Headers"), /If-Match, If-None-Match/);
  t.match(preflight.headers.get("Access-Control-Allow-Methods"), /PUT.*DELETE/);
  const read = await fetch(url, { headers: { Origin: "https://app.test" } });
  t.equal(read.headers.get("Access-Control-Allow-Origin"), "*");
  t.match(read.headers.get("Access-Control-Expose-Headers"), /\bETag\b/);
});

t.test("createTextRendezvous: two devices meet by way of the SDK", async (t) => {
  const { body } = await anonymous(server).get("/_matrix/client/versions", "getVersions");
  t.match(body, { unstable_features: { "org.matrix.msc4108": true } });
  const options = { fallbackRzServer: server.url + textPath };
  const laptop = new MSC4108RendezvousSession(options);
  await laptop.send("the laptop's key");
  t.teardown(() => laptop.close());
  const phone = new MSC4108RendezvousSession({ ...options, url: laptop.url ?? "" });
  t.equal(await phone.receive(), "the laptop's key");
  await phone.send("the phone's key");
  t.equal(await laptop.receive(), "the phone's key");
  await laptop.close();
  t.equal(await phone.receive(), undefined);
  t.ok(phone.cancelled);
});

function isConflict(t: Test, { status, body }: TestAnswer): void {
  t.strictSame([status, body["errcode"]], [409, "IO_ELEMENT_MSC4388_CONCURRENT_WRITE"], JSON.stringify(body));
}

t.test("createRendezvous, getRendezvous, putRendezvous, deleteRendezvous", async (t) => {
  const alice = await registerUser(server);
  const device = anonymous(server);
  const created = await alice.post(jsonPath, { data: "hello, é" });
  t.equal(created.status, 200);
  t.match(created.body, { id: /^[\w-]{20,}$/, sequence_token: /^[\w-]+$/ });
  t.ok(Number(created.body["expires_in_ms"]) > 200_000);
  const { id, sequence_token: first } = created.body;
  const path = `${jsonPath}/${String(id)}`;
  const read = await device.get(path);
  t.match(read.body, { data: "hello, é", sequence_token: first });
  t.equal(read.headers.get("Cache-Control"), "no-store");
  t.ok(Number(read.body["expires_in_ms"]) <= 300_000);

  const put = await device.put(path, { sequence_token: first, data: "answer" });
  t.equal(put.status, 200);
  const { sequence_token: second } = put.body;
  t.not(second, first);
  const again = await device.put(path, { sequence_token: first, data: "answer" });
  t.strictSame([again.status, again.body], [200, { sequence_token: second }], "a repeated request");
  isConflict(t, await device.put(path, { sequence_token: first, data: "late" }));
  isConflict(t, await device.put(path, { sequence_token: "never", data: "late" }));
  t.match((await alice.get(path)).body, { data: "answer", sequence_token: second });

  t.strictSame((await device.delete(path)).body, {});
  for (const gone of [device.get(path), device.delete(path), device.put(path, put.body)]) {
    t.match(await gone, { status: /40[04]/ });
  }
  t.match(await device.get(path), { status: 404, body: { errcode: "M_NOT_FOUND" } });
  t.match(await device.delete(path), { status: 404, body: { errcode: "M_NOT_FOUND" } });
});

t.test("createRendezvous, putRendezvous, getRendezvous: what is refused", async (t) => {
  const alice = await registerUser(server);
  t.match(await anonymous(server).post(jsonPath, { data: "x" }), { status: 401 });
  t.match(await (await registerGuest(server)).post(jsonPath, { data: "x" }), { status: 403 });
  t.match(await alice.post(jsonPath, {}), { status: 400, body: { errcode: "M_BAD_JSON" } });
  t.match(await alice.post(jsonPath, { data: 5 }), { status: 400, body: { errcode: "M_BAD_JSON" } });
  const tooLarge = { status: 413, body: { errcode: "M_TOO_LARGE" } };
  t.match(await alice.post(jsonPath, { data: "é".repeat(2_049) }), tooLarge);
  const { body } = await alice.post(jsonPath, { data: "é".repeat(2_048) });
  const path = `${jsonPath}/${String(body["id"])}`;
  t.match(await alice.put(path, { ...body, data: "x".repeat(4_097) }), tooLarge);
  t.match(await alice.put(path, { data: "x" }), { status: 400, body: { errcode: "M_BAD_JSON" } });
  for (const headers of [{ "Sec-Fetch-Dest": "document" }, { "Sec-Fetch-Mode": "navigate" }]) {
    const shown = await rawRequest(server.url, { method: "GET", path, headers });
    t.match(shown, { status: 403, json: { errcode: "M_FORBIDDEN" } });
  }
  const fetched = { "Sec-Fetch-Dest": "empty", "Sec-Fetch-Mode": "cors" };
  t.equal((await alice.call(undefined, "GET", path, undefined, fetched)).status, 200);
});

t.test("discoverRendezvous: who may begin one", async (t) => {
  const available = async (client: { get: (path: string) => Promise<TestAnswer> }) =>
    (await client.get(jsonPath)).body;
  t.strictSame(await available(await registerUser(server)), { create_available: true });
  t.strictSame(await available(await registerGuest(server)), { create_available: false });
  t.strictSame(await available(anonymous(server)), { create_available: false });
});
