import { createHmac } from "node:crypto";
import t from "tap";
import { anonymous, registerGuest, registerUser } from "../support/client.ts";
import { startServer, type TestServer } from "../support/server.ts";

const path = "/_matrix/client/v3/voip/turnServer";
const transportsPath = "/_matrix/client/unstable/org.matrix.msc4143/rtc/transports";
const uris = ["turn:turn.test:3478?transport=udp", "turns:turn.test?transport=tcp"];

async function serverWith(calls: object): Promise<TestServer> {
  return startServer({ calls });
}

t.test("getTurnServer: credentials that the TURN server can check, for a while", async (t) => {
  await using server = await serverWith({
    turn: { uris, shared_secret: "the secret", credential_lifetime_seconds: 3_600 },
  });
  const alice = await registerUser(server);
  const { status, body } = await alice.get(path, "getTurnServer");
  t.equal(status, 200);
  t.match(body, { uris, ttl: 3_600 });
  const { username, password } = body;
  const [, expires, userId] = /^(\d+):(.*)$/.exec(String(username)) ?? [];
  t.equal(userId, alice.userId);
  const remaining = Number(expires) - Date.now() / 1000;
  t.ok(remaining > 3_000 && remaining <= 3_601, `${remaining} s`);
  t.equal(password, createHmac("sha1", "the secret").update(String(username)).digest("base64"));
  t.equal((await alice.get("/_matrix/client/r0/voip/turnServer", "getTurnServer")).status, 200);
  t.equal((await anonymous(server).get(path, "getTurnServer")).status, 401);
  t.equal((await (await registerGuest(server)).get(path, "getTurnServer")).status, 403);
});

t.test("getTurnServer: the same credentials for everybody, or none at all", async (t) => {
  await using fixed = await serverWith({ turn: { uris, username: "us", password: "all" } });
  const { body } = await (await registerUser(fixed)).get(path, "getTurnServer");
  t.strictSame(body, { uris, username: "us", password: "all", ttl: 86_400 });
  await using without = await startServer();
  const answer = await (await registerUser(without)).get(path, "getTurnServer");
  t.strictSame([answer.status, answer.body["errcode"]], [404, "M_NOT_FOUND"]);
});

t.test("getRtcTransports, getWellknown: how calls are carried (MSC4143)", async (t) => {
  const urls = ["https://livekit.test/jwt", "https://spare.test"];
  const transports = urls.map((url) => ({ type: "livekit", livekit_service_url: url }));
  await using server = await serverWith({ livekit_service_urls: urls });
  const alice = await registerUser(server);
  t.strictSame((await alice.get(transportsPath)).body, { rtc_transports: transports });
  const { body } = await alice.get("/.well-known/matrix/client", "getWellknown");
  t.strictSame(body["org.matrix.msc4143.rtc_foci"], transports);
  t.equal((await anonymous(server).get(transportsPath)).status, 401);

  await using without = await startServer();
  const bob = await registerUser(without);
  t.strictSame((await bob.get(transportsPath)).body, { rtc_transports: [] });
  t.notOk("org.matrix.msc4143.rtc_foci" in (await bob.get("/.well-known/matrix/client")).body);
  const { body: versions } = await bob.get("/_matrix/client/versions", "getVersions");
  t.match(versions, { unstable_features: { "org.matrix.msc4143": true } });
});
