import t, { type Test } from "tap";
import { Browser, type BrowserPage } from "../support/browser.ts";
import { startBrowserServer } from "../support/browser-server.ts";
import { anonymous, login, registerUser, testPassword } from "../support/client.ts";
import {
  allow,
  clientOf,
  deviceScope,
  OAuthClient,
  postForm,
  registerClient,
  signIn,
  webClient,
} from "../support/oauth.ts";

const server = await startBrowserServer();
t.teardown(() => server[Symbol.asyncDispose]());
for (const name of ["alice", "bob"]) await registerUser(server, name);
const app = await OAuthClient.register(server);

function checkError(t: Test, answer: { status: number; body: object }, error: string, status = 400): void {
  t.equal(answer.status, status, JSON.stringify(answer.body));
  t.match(answer.body, { error, error_description: String });
}

/** Where a browser ends that is sent back to a client at once. */
async function sentBack(changes: Record<string, string | undefined>): Promise<URLSearchParams> {
  const page = await new Browser().open(app.begin(changes).url);
  return page.url.origin === "https://app.test" ? page.url.searchParams : new URLSearchParams();
}

t.test("getAuthMetadata, getAuthIssuer, oauthKeys: where everything is", async (t) => {
  const { body, headers } = await anonymous(server).get(
    "/_matrix/client/v1/auth_metadata",
    "getAuthMetadata",
  );
  t.match(body, {
    issuer: `${server.url}/`,
    response_types_supported: ["code"],
    response_modes_supported: ["query", "fragment"],
    grant_types_supported: [
      "authorization_code",
      "refresh_token",
      "urn:ietf:params:oauth:grant-type:device_code",
    ],
    code_challenge_methods_supported: ["S256"],
    prompt_values_supported: ["create"],
    account_management_uri: `${server.url}/account/`,
  });
  t.match(headers.get("Cache-Control"), /max-age/);
  for (const path of [
    "/_matrix/client/unstable/org.matrix.msc2965/auth_metadata",
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server",
  ]) {
    t.strictSame((await anonymous(server).get(path)).body, body, path);
  }
  const issuer = await anonymous(server).get("/_matrix/client/unstable/org.matrix.msc2965/auth_issuer");
  t.strictSame(issuer.body, { issuer: `${server.url}/` });
  const wellKnown = await anonymous(server).get("/.well-known/matrix/client", "getWellknown");
  t.strictSame(wellKnown.body["org.matrix.msc2965.authentication"], {
    issuer: `${server.url}/`,
    account: `${server.url}/account/`,
  });
  const keys = await anonymous(server).get(new URL(String(body["jwks_uri"])).pathname);
  t.match(keys.body, { keys: [{ kty: "EC", alg: "ES256", d: undefined }] });
});

t.test("oauthRegister: a client registers itself, and the same one is the same", async (t) => {
  const { status, body, headers } = await registerClient(server, {
    ...webClient,
    "client_name#fr": "Application",
    grant_types: [...webClient.grant_types, "urn:ietf:params:oauth:grant-type:token-exchange"],
  });
  t.equal(status, 201);
  t.equal(headers.get("Cache-Control"), "no-store");
  t.equal(headers.get("Access-Control-Allow-Origin"), "*");
  t.strictSame(body, { client_id: app.clientId, ...webClient, application_type: "web" });
  const elsewhere = { ...webClient, redirect_uris: ["https://evil.test/callback"] };
  checkError(t, await registerClient(server, elsewhere), "invalid_redirect_uri");
  checkError(
    t,
    await registerClient(server, { ...webClient, client_uri: "http://app.test" }),
    "invalid_client_metadata",
  );
  checkError(t, await registerClient(server, []), "invalid_client_metadata");
  checkError(t, await registerClient(server, {}), "invalid_client_metadata");
});

t.test(
  "oauthAuthorize, showSignIn, oauthResume, answerConsent, oauthToken: signing in by the authorization code flow",
  async (t) => {
    const browser = new Browser();
    const scope = deviceScope("FIRSTDEVICE");
    const { url, verifier, state } = app.begin({ scope });
    const signInPage = await browser.open(url);
    t.match(signInPage.url.pathname, "/account/sign-in");
    const consent = await signIn(browser, signInPage, "alice");
    t.match(consent.html, /Allow Test App\?/);
    t.match(consent.html, /@alice:hearth\.test/);
    t.match(consent.html, /FIRSTDEVICE/);
    t.match(consent.headers.get("Content-Security-Policy"), /form-action 'self' https:\/\/app\.test;/);
    const back = await allow(browser, consent);
    t.equal(back.url.origin + back.url.pathname, "https://app.test/callback");
    t.equal(back.url.searchParams.get("state"), state);
    t.equal(back.url.searchParams.get("iss"), `${server.url}/`, "who it comes from (RFC 9207)");
    const code = back.url.searchParams.get("code") ?? "";
    const { status, body, headers } = await app.exchange(code, verifier);
    t.equal(status, 200);
    t.match(body, {
      token_type: "Bearer",
      expires_in: 3600,
      scope,
      access_token: /^hat_/,
      refresh_token: /^hrt_/,
    });
    t.match(headers.get("Cache-Control"), /no-store/);
    const client = await clientOf(server, String(body["access_token"]));
    t.equal(client.userId, "@alice:hearth.test");
    t.equal(client.deviceId, "FIRSTDEVICE");
    const { body: device } = await client.get("/_matrix/client/v3/devices/FIRSTDEVICE", "getDevice");
    t.equal(device["display_name"], "Test App");
    t.equal((await client.get("/_matrix/client/v3/sync", "sync")).status, 200);
  },
);

t.test("oauthAuthorize: answers in the fragment, at the app, and with ID tokens", async (t) => {
  const fragment = await consentOf("alice", { response_mode: "fragment" });
  t.equal(fragment.url.search, "");
  t.match(new URLSearchParams(fragment.url.hash.slice(1)).get("code"), /^[\w-]+$/);
  const native = await OAuthClient.register(server, {
    application_type: "native",
    client_uri: "https://element.test/",
    redirect_uris: ["test.element:/callback", "http://127.0.0.1/callback"],
  });
  const browser = new Browser();
  const toApp = await browser.open(native.begin().url);
  const consent = await signIn(browser, toApp, "alice");
  t.match(consent.headers.get("Content-Security-Policy"), /form-action 'self' test\.element:;/);
  t.match((await allow(browser, consent)).url.href, /^test\.element:\/callback\?.*code=/);
  const loopback = native.begin({ redirect_uri: "http://127.0.0.1:48213/callback" });
  t.match((await browser.open(loopback.url)).html, /Allow Test App/, "on any port");
  const { url, verifier } = app.begin({ scope: `openid ${deviceScope()}` });
  const back = await allow(browser, await browser.open(url));
  const { body } = await app.exchange(back.url.searchParams.get("code") ?? "", verifier);
  const [, payload = ""] = String(body["id_token"]).split(".");
  t.match(JSON.parse(Buffer.from(payload, "base64url").toString()), {
    iss: `${server.url}/`,
    sub: "@alice:hearth.test",
    aud: app.clientId,
  });
});

/** The page that a client gets back to after consent. */
async function consentOf(
  localpart: string,
  changes: Record<string, string>,
  answer = "allow",
): Promise<BrowserPage> {
  const browser = new Browser();
  const page = await signIn(browser, await browser.open(app.begin(changes).url), localpart);
  return browser.submit(page, { fields: { answer }, form: 'value="allow"' });
}

t.test("oauthAuthorize: both spellings of scopes, and no others", async (t) => {
  const unstable = "urn:matrix:org.matrix.msc2967.client";
  const scope = `${unstable}:api:* ${unstable}:device:OLDSPELLING`;
  const { url, verifier } = app.begin({ scope });
  const browser = new Browser();
  const back = await allow(browser, await signIn(browser, await browser.open(url), "alice"));
  const { body } = await app.exchange(back.url.searchParams.get("code") ?? "", verifier);
  t.equal(body["scope"], scope);
  t.equal((await clientOf(server, String(body["access_token"]))).deviceId, "OLDSPELLING");
  const bad = [
    "",
    "openid",
    "urn:matrix:client:api:*",
    `${deviceScope("AAAAAAAAAA")} urn:matrix:client:device:BBBBBBBBBB`,
  ];
  for (const wrong of bad) t.equal((await sentBack({ scope: wrong })).get("error"), "invalid_scope", wrong);
});

t.test(
  "oauthAuthorize: what is wrong is told to the client, or to the user where that would be a trap",
  async (t) => {
    t.equal(
      (await sentBack({ code_challenge: undefined })).get("error"),
      "invalid_request",
      "PKCE is needed",
    );
    t.equal((await sentBack({ code_challenge_method: "plain" })).get("error"), "invalid_request");
    t.equal(
      (await sentBack({ response_type: "other", response_mode: undefined })).get("error"),
      "unsupported_response_type",
    );
    t.equal((await sentBack({ prompt: "none" })).get("error"), "login_required");
    t.equal((await sentBack({ request: "a.b.c" })).get("error"), "request_not_supported");
    const traps: Record<string, string | undefined>[] = [
      { redirect_uri: "https://evil.test/callback" },
      { redirect_uri: "https://app.test/callback/" },
      { redirect_uri: "https://app.test/callback?next=https://evil.test" },
      { redirect_uri: "https://app.test/callback#fragment" },
      { redirect_uri: "javascript:alert(1)" },
      { redirect_uri: undefined },
      { client_id: "nobody" },
      { client_id: undefined },
    ];
    for (const trap of traps) {
      const page = await new Browser().open(app.begin(trap).url);
      t.equal(page.url.origin, server.url, JSON.stringify(trap));
      t.equal(page.status, 400);
      t.notMatch(page.html, /<script|href="javascript/);
      t.match(page.headers.get("Content-Type"), /^text\/html/);
    }
  },
);

t.test("showConsent: the user refuses, or is somebody else", async (t) => {
  const refused = await consentOf("alice", {}, "deny");
  t.equal(refused.url.searchParams.get("error"), "access_denied");
  t.equal(refused.url.searchParams.get("code"), null);
  const browser = new Browser();
  const { url } = app.begin({ login_hint: "mxid:@bob:hearth.test" });
  const consent = await signIn(browser, await browser.open(url), "alice");
  const other = await browser.submit(consent, { fields: { answer: "other-account" }, form: 'value="allow"' });
  t.equal(other.url.pathname, "/account/sign-in");
  const asBob = await signIn(browser, other, "bob");
  t.match(asBob.html, /@bob:hearth\.test/);
  const sentByAlice = await browser.submit(consent, { fields: { answer: "allow" }, form: 'value="allow"' });
  t.match(sentByAlice.html, /Allow Test App/, "the page that was shown to somebody else is asked anew");
  t.ok((await allow(browser, asBob)).url.searchParams.get("code"));
  const hinted = await new Browser().open(url);
  t.match(hinted.html, /name="username" value="bob"/);
});

t.test(
  "showConsent: only the browser that was sent here, from pages of this server, and only once",
  async (t) => {
    const browser = new Browser();
    const consent = await signIn(browser, await browser.open(app.begin().url), "alice");
    const stranger = new Browser();
    await signIn(stranger, await stranger.open(`${server.url}/account/`), "bob");
    const stolen = await stranger.open(consent.url);
    t.equal(stolen.status, 400);
    t.match(stolen.html, /another browser/);
    for (const headers of [{ "Sec-Fetch-Site": "cross-site" }, { "Sec-Fetch-Site": "same-site" }]) {
      const forged = await browser.submit(consent, {
        headers,
        fields: { answer: "allow" },
        form: 'value="allow"',
      });
      t.equal(forged.status, 403);
    }
    t.ok((await allow(browser, consent)).url.searchParams.get("code"));
    t.equal((await allow(browser, consent)).status, 400, "a second time");
  },
);

t.test("signIn: wrong passwords, strange names, other sites, and where it goes on", async (t) => {
  const browser = new Browser();
  const page = await browser.open(
    `${server.url}/account/sign-in?next=${encodeURIComponent("https://evil.test/")}`,
  );
  t.notMatch(page.html, /evil\.test/);
  t.notMatch(page.html, /<script/);
  const wrong = await browser.submit(page, { fields: { username: "alice", password: "wrong" } });
  t.equal(wrong.status, 403);
  t.match(wrong.html, /role="alert"/);
  t.match(wrong.html, /value="alice"/);
  const unknown = await browser.submit(page, { fields: { username: '"><script>', password: "wrong" } });
  t.equal(unknown.status, 403);
  t.notMatch(unknown.html, /"><script>/);
  const forged = {
    fields: { username: "alice", password: testPassword },
    headers: { "Sec-Fetch-Site": "cross-site" },
  };
  t.equal((await browser.submit(page, forged)).status, 403);
  const done = await browser.submit(page, {
    fields: { username: "@alice:hearth.test", password: testPassword, next: "//evil.test/" },
  });
  t.equal(done.url.href, `${server.url}/account/`);
  t.match(browser.cookieHeaders(/hearth_session/)[0], /; Path=\/; HttpOnly; SameSite=Lax; Max-Age=604800$/);
  const chinese = await new Browser("zh").open(`${server.url}/account/sign-in`);
  t.match(chinese.html, /<html lang="zh">/);
});

t.test("showRegister: prompt=create leads to a page to make an account", async (t) => {
  const browser = new Browser();
  const { url, verifier } = app.begin({ prompt: "create" });
  const page = await browser.open(url);
  t.equal(page.url.pathname, "/account/register");
  const register = (username: string, password = testPassword) =>
    browser.submit(page, { fields: { username, password } });
  t.match((await register("alice")).html, /is taken/);
  t.match((await register("no spaces")).html, /not a username/);
  t.match((await register("newcomer", "short")).html, /Choose another password/);
  const consent = await register("newcomer");
  t.match(consent.html, /@newcomer:hearth\.test/);
  const back = await allow(browser, consent);
  const { body } = await app.exchange(back.url.searchParams.get("code") ?? "", verifier);
  t.equal((await clientOf(server, String(body["access_token"]))).userId, "@newcomer:hearth.test");
});

t.test("oauthToken: a code works once, for its client, its redirect URI and its verifier", async (t) => {
  const other = await OAuthClient.register(server, { client_name: "Other" });
  const { code, verifier } = await app.code("alice");
  checkError(t, await app.exchange(code, "x".repeat(43)), "invalid_grant");
  checkError(
    t,
    await app.token({ grant_type: "authorization_code", code, redirect_uri: app.redirectUri }),
    "invalid_grant",
  );
  checkError(t, await app.exchange(code, verifier, { redirect_uri: "https://app.test/" }), "invalid_grant");
  checkError(t, await other.exchange(code, verifier), "invalid_grant");
  checkError(t, await app.exchange("made-up", verifier), "invalid_grant");
  checkError(t, await app.exchange(code, verifier, { client_id: "nobody" }), "invalid_client", 401);
  const { body, status } = await app.exchange(code, verifier);
  t.equal(status, 200, "none of that has used it up");
  const client = await clientOf(server, String(body["access_token"]));
  checkError(t, await app.exchange(code, verifier), "invalid_grant");
  const { status: after } = await client.get("/_matrix/client/v3/account/whoami");
  t.equal(after, 401, "whoever has it twice has lost it: its tokens are revoked");
  checkError(t, await app.refresh(body["refresh_token"]), "invalid_grant");
});

t.test("oauthToken: two who use one code at once get one session at most", async (t) => {
  const { code, verifier } = await app.code("alice");
  const answers = await Promise.all(Array.from({ length: 8 }, () => app.exchange(code, verifier)));
  const successes = answers.filter(({ status }) => status === 200);
  t.ok(successes.length <= 1);
  for (const { body } of answers.filter(({ status }) => status !== 200))
    t.match(body, { error: "invalid_grant" });
});

t.test("oauthToken: requests that are none", async (t) => {
  checkError(t, await app.token({}), "invalid_request");
  checkError(
    t,
    await app.token({ grant_type: "password", username: "alice", password: testPassword }),
    "unsupported_grant_type",
  );
  checkError(t, await app.token({ grant_type: "client_credentials" }), "unsupported_grant_type");
  checkError(t, await app.token({ grant_type: "authorization_code" }), "invalid_request");
  checkError(t, await app.token({ grant_type: "refresh_token" }), "invalid_request");
  const json = await fetch(`${server.url}/oauth2/token`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: "{}",
  });
  t.equal(json.status, 400);
  const big = await postForm(server, "/oauth2/token", { grant_type: "x".repeat(1_000_000) });
  t.ok(big.status >= 400 && big.status < 500, String(big.status));
  const limited = await OAuthClient.register(server, { grant_types: ["authorization_code"] });
  checkError(t, await limited.refresh("hrt_a"), "invalid_request");
});

t.test(
  "oauthToken: refresh tokens rotate; a lost answer can be asked for again; an old one ends the session",
  async (t) => {
    const other = await OAuthClient.register(server, { client_name: "Other" });
    const { client, refreshToken } = await app.signIn("alice");
    checkError(t, await other.refresh(refreshToken), "invalid_grant");
    const legacy = await anonymous(server).post("/_matrix/client/v3/refresh", {
      refresh_token: refreshToken,
    });
    t.match(legacy.body, { errcode: "M_UNKNOWN_TOKEN" }, "the legacy API knows nothing of it");
    const lost = await app.refresh(refreshToken);
    t.equal(lost.status, 200);
    const second = await app.refresh(refreshToken);
    t.equal(second.status, 200, "the answer may have got lost");
    t.not(second.body["access_token"], lost.body["access_token"]);
    t.equal((await client.get("/_matrix/client/v3/account/whoami")).status, 200, "until the new one is used");
    const renewed = await clientOf(server, String(second.body["access_token"]));
    t.equal(renewed.deviceId, client.deviceId);
    t.equal((await client.get("/_matrix/client/v3/account/whoami")).status, 401);
    checkError(t, await app.refresh(refreshToken), "invalid_grant");
    t.equal(
      (await renewed.get("/_matrix/client/v3/account/whoami")).status,
      401,
      "the session is compromised",
    );
    checkError(t, await app.refresh(second.body["refresh_token"]), "invalid_grant");
    checkError(t, await app.refresh("nonsense"), "invalid_grant");
    checkError(t, await app.refresh(`hrt_${"a".repeat(24)}.b`), "invalid_grant");
  },
);

t.test("oauthToken: sessions outlive a restart, and refresh after it", async (t) => {
  const { client, refreshToken } = await app.signIn("bob");
  const { code, verifier } = await app.code("bob");
  await server.restart();
  t.equal((await client.get("/_matrix/client/v3/account/whoami")).status, 200);
  t.equal((await app.refresh(refreshToken)).status, 200);
  t.equal((await app.exchange(code, verifier)).status, 200);
});

t.test("oauthRevoke: either token ends the session and its device, whoever has it", async (t) => {
  const revoke = (fields: Record<string, string>) => postForm(server, "/oauth2/revoke", fields);
  for (const which of ["access_token", "refresh_token"]) {
    const { client, body } = await app.signIn("alice");
    const watcher = await login(server, "alice");
    t.equal((await revoke({ token: String(body[which]), token_type_hint: which })).status, 200);
    t.equal((await client.get("/_matrix/client/v3/account/whoami")).status, 401);
    checkError(t, await app.refresh(body["refresh_token"]), "invalid_grant");
    t.equal((await watcher.get(`/_matrix/client/v3/devices/${client.deviceId}`)).status, 404);
    t.equal((await revoke({ token: String(body[which]) })).status, 200, "a second time");
  }
  t.equal((await revoke({ token: "made up", client_id: "nobody" })).status, 200);
  checkError(t, await revoke({}), "invalid_request");
});

t.test("oauthToken: a device that signs in again loses its old tokens", async (t) => {
  const scope = deviceScope("SAMEDEVICE");
  const browser = new Browser();
  const once = async () => {
    const { url, verifier } = app.begin({ scope });
    const back = await allow(browser, await signIn(browser, await browser.open(url), "alice"));
    const { body } = await app.exchange(back.url.searchParams.get("code") ?? "", verifier);
    return clientOf(server, String(body["access_token"]));
  };
  const first = await once();
  const second = await once();
  t.equal(second.deviceId, "SAMEDEVICE");
  t.equal((await first.get("/_matrix/client/v3/account/whoami")).status, 401);
});

t.test("oauthToken: accounts that are locked or have ended get no tokens", async (t) => {
  const gone = await registerUser(server, "leaving");
  const { code, verifier } = await app.code("leaving");
  const { refreshToken } = await app.signIn("leaving");
  const auth = {
    type: "m.login.password",
    identifier: { type: "m.id.user", user: "leaving" },
    password: testPassword,
  };
  await gone.post("/_matrix/client/v3/account/deactivate", { auth }, "deactivateAccount");
  checkError(t, await app.exchange(code, verifier), "invalid_grant");
  checkError(t, await app.refresh(refreshToken), "invalid_grant");
});
