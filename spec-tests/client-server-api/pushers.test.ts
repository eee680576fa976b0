import t from "tap";
import { login, passwordAuth, registerUser, type TestClient } from "../support/client.ts";
import { pusherBody, pushkeysOf, setPusher } from "../support/push-gateway.ts";
import type { Json } from "../support/rooms.ts";
import { startServer } from "../support/server.ts";

const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());
const path = "/_matrix/client/v3/pushers";
const url = "https://push.example.org/_matrix/push/v1/notify";

async function pushersOf(client: TestClient): Promise<unknown> {
  const { status, body } = await client.get(path, "getPushers");
  if (status !== 200) throw new Error(`getPushers answered ${status}`);
  return body["pushers"];
}

const set = (client: TestClient, body: unknown) => client.post(`${path}/set`, body, "postPusher");

t.test("getPushers, postPusher: a pusher is kept as it was set", async (t) => {
  const alice = await registerUser(server);
  t.strictSame(await pushersOf(alice), []);
  const data = { url, format: "event_id_only", default_payload: { aps: { "mutable-content": 1 } } };
  const pusher = pusherBody(url, "key", { data });
  t.match(await set(alice, { ...pusher, append: false }), { status: 200, body: {} });
  const own = { "org.matrix.msc3881.enabled": true, "org.matrix.msc3881.device_id": alice.deviceId };
  t.strictSame(await pushersOf(alice), [{ ...pusher, ...own }]);
  const { profile_tag: _tag, ...untagged } = pusherBody(url, "key", { lang: "de" });
  await set(alice, untagged);
  t.strictSame(await pushersOf(alice), [{ ...untagged, ...own }]);
  t.strictSame(await pushersOf(await registerUser(server)), []);
});

t.test("postPusher: kind null removes a pusher, and minds nothing that is not there", async (t) => {
  const alice = await registerUser(server);
  await setPusher(alice, pusherBody(url, "one"));
  await setPusher(alice, pusherBody(url, "two"));
  t.equal((await set(alice, { kind: null, app_id: "test.app", pushkey: "one" })).status, 200);
  t.equal((await set(alice, { kind: null, app_id: "other.app", pushkey: "two" })).status, 200);
  t.strictSame(await pushkeysOf(alice), ["two"]);
});

t.test("postPusher: append says whether others keep theirs", async (t) => {
  const alice = await registerUser(server);
  const bob = await registerUser(server);
  await setPusher(alice, pusherBody(url, "shared"));
  await setPusher(bob, pusherBody(url, "shared", { append: true }));
  t.strictSame(await pushkeysOf(alice), ["shared"]);
  await setPusher(bob, pusherBody(url, "shared"));
  t.strictSame(await pushkeysOf(alice), []);
  t.strictSame(await pushkeysOf(bob), ["shared"]);
});

t.test("postPusher: pushers go with the device that has set them", async (t) => {
  const phone = await registerUser(server);
  const tablet = await login(server, phone);
  const laptop = await login(server, phone);
  await setPusher(phone, pusherBody(url, "phone"));
  await setPusher(tablet, pusherBody(url, "tablet"));
  await setPusher(laptop, pusherBody(url, "laptop"));
  await tablet.post("/_matrix/client/v3/logout", {}, "logout");
  t.strictSame((await pushkeysOf(phone)).sort(), ["laptop", "phone"]);
  const auth = passwordAuth(phone);
  await phone.delete(`/_matrix/client/v3/devices/${laptop.deviceId}`, { auth }, "deleteDevice");
  t.strictSame(await pushkeysOf(phone), ["phone"]);
});

t.test("postPusher: another device switches a pusher off, which stays where it is (MSC3881)", async (t) => {
  const phone = await registerUser(server);
  const laptop = await login(server, phone);
  await setPusher(phone, pusherBody(url, "phone"));
  const state = async () => {
    const [{ ...pusher } = {}] = (await pushersOf(laptop)) as Json[];
    return [pusher["org.matrix.msc3881.enabled"], pusher["org.matrix.msc3881.device_id"]];
  };
  for (const enabled of [false, true, false]) {
    await setPusher(laptop, pusherBody(url, "phone", { "org.matrix.msc3881.enabled": enabled }));
    t.strictSame(await state(), [enabled, phone.deviceId]);
  }
  await laptop.post("/_matrix/client/v3/logout", {}, "logout");
  t.strictSame(await pushkeysOf(phone), ["phone"]);
  const wrong = pusherBody(url, "phone", { "org.matrix.msc3881.enabled": "no" });
  t.match(await set(phone, wrong), { status: 400, body: { errcode: "M_BAD_JSON" } });
});

t.test("postPusher: what cannot be a pusher is refused, and changes nothing", async (t) => {
  const alice = await registerUser(server);
  const without = (key: string): Json => {
    const { [key]: _left, ...rest } = pusherBody(url, "key");
    return rest;
  };
  const withData = (data: unknown) => pusherBody(url, "key", { data });
  const cases: [body: unknown, errcode: string][] = [
    [without("lang"), "M_MISSING_PARAM"],
    [without("app_display_name"), "M_MISSING_PARAM"],
    [without("device_display_name"), "M_MISSING_PARAM"],
    [without("data"), "M_MISSING_PARAM"],
    [without("pushkey"), "M_BAD_JSON"],
    [without("kind"), "M_BAD_JSON"],
    [withData({}), "M_MISSING_PARAM"],
    [withData("text"), "M_BAD_JSON"],
    [withData({ url: url.replace("https", "http") }), "M_INVALID_PARAM"],
    [withData({ url: "https://push.example.org/" }), "M_INVALID_PARAM"],
    [withData({ url: `${url}/more` }), "M_INVALID_PARAM"],
    [withData({ url: url.replace("push.", "user:secret@push.") }), "M_INVALID_PARAM"],
    [withData({ url: "no URL" }), "M_INVALID_PARAM"],
    [withData({ url, format: "unheard of" }), "M_INVALID_PARAM"],
    [pusherBody(url, "key", { kind: "email" }), "M_INVALID_PARAM"],
    [pusherBody(url, "x".repeat(513)), "M_INVALID_PARAM"],
    [pusherBody(url, ""), "M_INVALID_PARAM"],
    [pusherBody(url, "key", { app_id: "x".repeat(65) }), "M_INVALID_PARAM"],
    [pusherBody(url, "key", { append: "yes" }), "M_BAD_JSON"],
  ];
  for (const [body, errcode] of cases) {
    const answer = await set(alice, body);
    t.match(answer, { status: 400, body: { errcode } }, JSON.stringify(body).slice(0, 200));
  }
  const huge = await set(alice, withData({ url, more: "x".repeat(20_000) }));
  t.match(huge, { status: 413, body: { errcode: "M_TOO_LARGE" } });
  t.strictSame(await pushersOf(alice), []);
});
