import { generateKeyPairSync } from "node:crypto";
import { join } from "node:path";
import t from "tap";
import { Browser } from "../support/browser.ts";
import { startBrowserServer } from "../support/browser-server.ts";
import {
  anonymous,
  login,
  passwordAuth,
  registerAdmin,
  registerUser,
  testPassword,
  type TestClient,
} from "../support/client.ts";
import { clientOf, OAuthClient, signIn } from "../support/oauth.ts";
import { idpClient, startIdp } from "../support/upstream-idp.ts";

const server = await startBrowserServer();
t.teardown(() => server[Symbol.asyncDispose]());
const app = await OAuthClient.register(server);

async function signedIn(localpart: string, path = "/account/"): Promise<{ browser: Browser; html: string }> {
  const browser = new Browser();
  const { html } = await signIn(browser, await browser.open(server.url + path), localpart);
  return { browser, html };
}

t.test("showAccount, signOutDevice: devices are listed, looked at and signed out", async (t) => {
  const alice = await registerUser(server, "alice", { deviceId: "PHONE", deviceName: "<b>Phone</b>" });
  const laptop = await login(server, alice, { deviceId: "LAPTOP/1", deviceName: "Laptop" });
  const { browser, html } = await signedIn("alice", "/account/?action=org.matrix.devices_list");
  t.match(html, /&lt;b&gt;Phone&lt;\/b&gt;/);
  t.match(html, /Laptop/);
  t.notMatch(html, /<script/);
  const query = new URLSearchParams({ action: "org.matrix.device_delete", device_id: "LAPTOP/1" });
  const page = await browser.open(`${server.url}/account/?${query.toString()}`);
  t.match(page.html, /Sign this device out/);
  t.equal((await browser.submit(page, { headers: { "Sec-Fetch-Site": "cross-site" } })).status, 403);
  t.equal((await laptop.get("/_matrix/client/v3/account/whoami")).status, 200);
  t.match((await browser.submit(page)).html, /The device is signed out/);
  t.equal((await laptop.get("/_matrix/client/v3/account/whoami")).status, 401);
  t.equal((await alice.get("/_matrix/client/v3/account/whoami")).status, 200);
  const gone = await browser.open(
    `${server.url}/account/?action=org.matrix.session_end&device_id=LAPTOP%2F1`,
  );
  t.equal(gone.status, 404);
  t.match(gone.html, /no such device/);
});

t.test("signOut: the browser forgets, and so does the server", async (t) => {
  await registerUser(server, "leaver");
  const { browser } = await signedIn("leaver");
  const cookie = browser.cookieHeaders(/hearth_session/)[0] ?? "";
  const account = await browser.open(`${server.url}/account/`);
  t.equal((await browser.submit(account)).url.pathname, "/account/sign-in");
  t.strictSame(browser.cookieHeaders(/hearth_session/), []);
  const replayed = await fetch(`${server.url}/account/`, {
    headers: { Cookie: cookie.split(";")[0] ?? "" },
    redirect: "manual",
  });
  t.equal(replayed.status, 303, "the cookie is worth nothing any more");
});

t.test("changePassword, logout_all: browsers have to sign in anew", async (t) => {
  const dora = await registerUser(server, "dora");
  const { browser } = await signedIn("dora");
  const next = "another good password";
  await dora.post("/_matrix/client/v3/account/password", { new_password: next, auth: passwordAuth(dora) });
  t.equal((await browser.open(`${server.url}/account/`)).url.pathname, "/account/sign-in");
  const again = new Browser();
  await signIn(again, await again.open(`${server.url}/account/`), "dora", next);
  await dora.post("/_matrix/client/v3/logout/all", {});
  t.equal((await again.open(`${server.url}/account/`)).url.pathname, "/account/sign-in");
});

t.test("sessions of the OAuth 2.0 API are not asked for passwords", async (t) => {
  await registerUser(server, "mod");
  const { client } = await app.signIn("mod");
  const other = await login(server, "mod");
  const { body: told } = await client.get("/_matrix/client/v3/capabilities", "getCapabilities");
  t.match(told["capabilities"], {
    "m.change_password": { enabled: false },
    "m.get_login_token": { enabled: false },
    "m.3pid_changes": { enabled: false },
  });
  for (const answer of [
    await client.delete(`/_matrix/client/v3/devices/${other.deviceId}`, {}),
    await client.post("/_matrix/client/v3/account/password", { new_password: "another password" }),
    await client.post("/_matrix/client/v3/account/deactivate", { auth: passwordAuth(client) }),
  ]) {
    t.match(answer, { status: 404, body: { errcode: "M_UNRECOGNIZED" } });
  }
  t.equal((await client.post("/_matrix/client/v3/logout", {}, "logout")).status, 200);
  t.equal((await client.get("/_matrix/client/v3/account/whoami")).status, 401);
});

function crossSigningKeys({ userId }: TestClient): object {
  const { publicKey } = generateKeyPairSync("ed25519");
  const key = String(publicKey.export({ format: "jwk" }).x)
    .replaceAll("-", "+")
    .replaceAll("_", "/");
  return { master_key: { user_id: userId, usage: ["master"], keys: { [`ed25519:${key}`]: key } } };
}

t.test(
  "uploadCrossSigningKeys, allowCrossSigningReset: the stage m.oauth, done on an account page",
  async (t) => {
    await registerUser(server, "resetter");
    const { client } = await app.signIn("resetter");
    const upload = (keys: object, auth?: object) =>
      client.post("/_matrix/client/v3/keys/device_signing/upload", { ...keys, ...(auth && { auth }) });
    t.equal((await upload(crossSigningKeys(client))).status, 200, "the first keys need nothing");
    const renewed = crossSigningKeys(client);
    const { status, body } = await upload(renewed);
    t.equal(status, 401);
    const url = `${server.url}/account/?action=org.matrix.cross_signing_reset`;
    t.match(body, {
      flows: [{ stages: ["m.oauth"] }, { stages: ["org.matrix.cross_signing_reset"] }],
      params: { "m.oauth": { url }, "org.matrix.cross_signing_reset": { url } },
    });
    const session = { session: body["session"] };
    t.equal((await upload(renewed, session)).status, 401, "not before the user has agreed");
    t.equal((await upload(renewed, { type: "m.oauth", ...session })).status, 401);
    t.equal((await upload(renewed, { ...passwordAuth(client), ...session })).status, 401);
    const browser = new Browser();
    const page = await signIn(browser, await browser.open(url), "resetter");
    t.match(page.html, /Reset your digital identity/);
    t.match((await browser.submit(page)).html, /within ten minutes/);
    t.equal((await upload(renewed, session)).status, 200);
    t.equal((await upload(crossSigningKeys(client))).status, 401, "another time needs another consent");
  },
);

t.test("deactivateByPage: an account ends for ever", async (t) => {
  const gone = await registerUser(server, "gone");
  const { browser } = await signedIn("gone");
  const page = await browser.open(`${server.url}/account/?action=org.matrix.account_deactivate`);
  t.match(page.html, /Your account ends for ever/);
  t.equal((await browser.submit(page, { headers: { "Sec-Fetch-Site": "none" } })).status, 403);
  t.match((await browser.submit(page, { fields: { erase: "yes" } })).html, /has been deactivated/);
  t.equal((await gone.get("/_matrix/client/v3/account/whoami")).status, 401);
  t.strictSame(browser.cookieHeaders(/hearth_session/), []);
  const back = await browser.open(`${server.url}/account/sign-in`);
  const refused = await browser.submit(back, { fields: { username: "gone", password: testPassword } });
  t.equal(refused.status, 403);
});

t.test("showAccount: odd actions and names", async (t) => {
  await registerUser(server, "odd");
  const { browser } = await signedIn("odd");
  for (const action of [
    "org.matrix.profile",
    "nonsense",
    "__proto__",
    "toString",
    "org.matrix.device_view",
  ]) {
    const page = await browser.open(`${server.url}/account/?action=${action}`);
    t.match(page, { status: 200, html: /You are @odd:hearth\.test/ }, action);
  }
  const hinted = await new Browser().open(`${server.url}/account?login_hint=mxid%3A%40odd%3Ahearth.test`);
  t.match(hinted.html, /name="username" value="odd"/);
});

t.test(
  "continueToClient: a server that leads to its pages, OAuth-aware flows of the legacy login",
  async (t) => {
    await using discouraging = await startBrowserServer(() => ({
      oauth: { legacy_password_login: "off" },
      branding: { organisation: "Example & Sons", accent_colour: "#ffcc00" },
    }));
    await registerUser(discouraging, "nia");
    const { body } = await anonymous(discouraging).get("/_matrix/client/v3/login", "getLoginFlows");
    t.match(body["flows"], [{ type: "m.login.sso", oauth_aware_preferred: true }, { type: "m.login.token" }]);
    const refused = await anonymous(discouraging).post("/_matrix/client/v3/login", {
      type: "m.login.password",
      identifier: { type: "m.id.user", user: "nia" },
      password: testPassword,
    });
    t.match(refused, { status: 400, body: { errcode: "M_UNKNOWN" } });
    const redirectUrl = encodeURIComponent("https://app.test/");
    const start = `${discouraging.url}/_matrix/client/v3/login/sso/redirect?redirectUrl=${redirectUrl}`;
    const browser = new Browser();
    const page = await browser.open(`${start}&action=login`);
    t.match(page.html, /Example &amp; Sons/);
    t.match(page.html, /--accent: #ffcc00/);
    const confirm = await signIn(browser, page, "nia");
    t.match(confirm.html, /app\.test asks for access to your account @nia:hearth\.test/);
    const back = await browser.submit(confirm);
    const token = back.url.searchParams.get("loginToken");
    const answer = await anonymous(discouraging).post(
      "/_matrix/client/v3/login",
      { type: "m.login.token", token },
      "login",
    );
    t.equal(answer.body["user_id"], "@nia:hearth.test");
    const registering = await new Browser().open(`${start}&action=register`);
    t.equal(registering.url.pathname, "/account/register");
  },
);

t.test("signInBySso: a provider of single sign-on signs in to the pages", async (t) => {
  await using idps = new AsyncDisposableStack();
  await using corporate = await startBrowserServer(async (baseUrl) => {
    const idp = idps.use(await startIdp(`${baseUrl}/_synapse/client/oidc/callback`));
    await idp.set({ person: { sub: "s-1", preferred_username: "sue" } });
    const localpart = "{preferred_username}";
    const network = { allowed_private_ranges: ["127.0.0.0/8"] };
    const { issuer } = idp;
    return {
      sso: { providers: [{ id: "corp", name: "Corp", issuer, localpart, ...idpClient, ...network }] },
    };
  });
  const client = await OAuthClient.register(corporate);
  const browser = new Browser();
  const { url, verifier } = client.begin();
  const consent = await browser.follow(await browser.open(url), "Continue with Corp");
  t.match(consent.html, /@sue:hearth\.test/);
  const back = await browser.submit(consent, { fields: { answer: "allow" }, form: 'value="allow"' });
  const { body } = await client.exchange(back.url.searchParams.get("code") ?? "", verifier);
  t.equal((await clientOf(corporate, String(body["access_token"]))).userId, "@sue:hearth.test");
  const stranger = await new Browser().open(`${corporate.url}/account/sso/nobody`);
  t.equal(stranger.status, 404);
});

t.test("an account that is locked keeps its session", async (t) => {
  const victim = await registerUser(server, "victim");
  const admin = await registerAdmin(server);
  const { client, refreshToken } = await app.signIn("victim");
  await admin.put(`/_matrix/client/v1/admin/lock/${victim.userId}`, { locked: true });
  t.match(await client.get("/_matrix/client/v3/sync"), { status: 401, body: { errcode: "M_USER_LOCKED" } });
  const { status, body } = await app.refresh(refreshToken);
  t.equal(status, 200, "a client would take an error for the end of its session");
  const browser = new Browser();
  const page = await signIn(browser, await browser.open(`${server.url}/account/`), "victim");
  t.match(page, { status: 403, html: /This account is locked/ });
  await admin.put(`/_matrix/client/v1/admin/lock/${victim.userId}`, { locked: false });
  t.equal((await clientOf(server, String(body["access_token"]))).deviceId, client.deviceId);
});

t.test("a server without the OAuth 2.0 API says so", async (t) => {
  await using legacy = await startBrowserServer(() => ({ oauth: { enabled: false } }));
  const { status, body } = await anonymous(legacy).get("/_matrix/client/v1/auth_metadata", "getAuthMetadata");
  t.match({ status, body }, { status: 404, body: { errcode: "M_UNRECOGNIZED" } });
  for (const path of ["/oauth2/authorize", "/account/", "/link", "/account/sign-in"]) {
    t.equal((await fetch(legacy.url + path)).status, 404, path);
  }
  const wellKnown = await anonymous(legacy).get("/.well-known/matrix/client");
  t.equal(wellKnown.body["org.matrix.msc2965.authentication"], undefined);
});

t.test("registerByPage: registration on the page follows the policy: tokens and terms", async (t) => {
  const terms = [
    {
      id: "tos",
      version: "1.0",
      translations: [{ language: "en", name: "Terms of Service", url: "https://example.org/tos" }],
    },
  ];
  await using strict = await startBrowserServer(() => ({ registration: { mode: "token", terms } }));
  const browser = new Browser();
  const page = await browser.open(`${strict.url}/account/register`);
  t.match(page.html, /Registration token/);
  t.match(page.html, /Terms of Service/);
  const fields = { username: "ken", password: testPassword, token: "made up" };
  const unaccepted = await browser.submit(page, { fields });
  t.equal(unaccepted.status, 400);
  t.match(
    (await browser.submit(page, { fields: { ...fields, "accept-tos": "yes" } })).html,
    /token is not valid/,
  );
  await using closed = await startBrowserServer(() => ({ registration: { mode: "closed" } }));
  t.equal((await fetch(`${closed.url}/account/register`)).status, 403);
  const { body } = await anonymous(closed).get("/_matrix/client/v1/auth_metadata", "getAuthMetadata");
  t.equal(body["prompt_values_supported"], undefined);
});

t.test("getLogo: the pages have the organisation's picture", async (t) => {
  const folder = t.testdir({ "logo.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>" });
  await using branded = await startBrowserServer(() => ({
    branding: { logo_file: join(folder, "logo.svg") },
  }));
  const { html } = await new Browser().open(`${branded.url}/account/sign-in`);
  t.match(html, /src="\/account\/logo"/);
  const logo = await fetch(`${branded.url}/account/logo`);
  t.equal(logo.headers.get("Content-Type"), "image/svg+xml");
  t.match(logo.headers.get("Content-Security-Policy"), /sandbox/);
  t.equal((await fetch(`${server.url}/account/logo`)).status, 404);
});
