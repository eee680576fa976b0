import t, { type Test } from "tap";
import { Browser, type BrowserPage } from "../support/browser.ts";
import { startBrowserServer } from "../support/browser-server.ts";
import { anonymous, registerUser, TestClient, testPassword } from "../support/client.ts";
import { idpClient, startIdp, type UpstreamIdp } from "../support/upstream-idp.ts";

let idp: UpstreamIdp | undefined;

const loopback = { allowed_private_ranges: ["127.0.0.0/8"], ...idpClient };
const closedPort = "http://127.0.0.1:9";

const server = await startBrowserServer(async (baseUrl) => {
  idp = await startIdp(`${baseUrl}/_synapse/client/oidc/callback`);
  const { issuer } = idp;
  const profile = { localpart: "{preferred_username}", display_name: "{name}", email: "{email}" };
  const staffOnly = { required_attributes: [{ claim: "groups", values: ["staff"] }] };
  const provider = (id: string, keys: object) => ({
    id,
    name: `Provider ${id}`,
    issuer,
    ...loopback,
    ...keys,
  });
  return {
    sso: {
      trusted_clients: ["https://app.test/"],
      providers: [
        provider("corp", { ...profile, icon: "mxc://hearth.test/icon", brand: "github", timeout_ms: 3_000 }),
        provider("staff", { ...profile, ...staffOnly }),
        provider("picky", {}),
        provider("linking", { ...profile, link_existing_accounts: true }),
        provider("closed", { ...profile, register_new_users: false }),
        provider("filtered", { allowed_private_ranges: [] }),
        provider("down", { issuer: closedPort }),
        provider("strict", { ...profile, clock_skew_s: 5 }),
      ],
    },
  };
});
t.teardown(() => server[Symbol.asyncDispose]());
t.teardown(() => idp?.[Symbol.asyncDispose]());

const app = "https://app.test/#/home";
const redirectPath = "/_matrix/client/v3/login/sso/redirect";

function startUrl(provider: string, redirectUrl = app, path = redirectPath): string {
  return `${server.url}${path}${provider}?${new URLSearchParams({ redirectUrl }).toString()}`;
}

async function signIn(
  person: { sub: string; [claim: string]: unknown },
  provider = "corp",
  redirectUrl = app,
) {
  await idp?.set({ person, refuses: false, skewMs: 0, hangs: false });
  const browser = new Browser();
  return { browser, page: await browser.open(startUrl(`/${provider}`, redirectUrl)) };
}

function tokenIn({ url }: BrowserPage): string {
  return url.searchParams.get("loginToken") ?? "";
}

/** Logs in with the token that a client got back. */
async function logIn(page: BrowserPage): Promise<TestClient> {
  const answer = await tokenLogin(tokenIn(page));
  if (answer.status !== 200) throw new Error(`${page.url.href}: ${JSON.stringify(answer.body)} ${page.html}`);
  const { user_id: userId, device_id: deviceId, access_token: accessToken } = answer.body;
  return new TestClient(server, {
    userId: String(userId),
    deviceId: String(deviceId),
    accessToken: String(accessToken),
  });
}

function tokenLogin(token: string) {
  return anonymous(server).post("/_matrix/client/v3/login", { type: "m.login.token", token }, "login");
}

function checkError(t: Test, page: BrowserPage, status: number, text: RegExp): void {
  t.equal(page.status, status, page.url.href);
  t.match(page.html, text);
  t.equal(page.url.origin, server.url, "nobody is sent on");
}

t.test("getLoginFlows: single sign-on with its providers", async (t) => {
  const { body } = await anonymous(server).get("/_matrix/client/v3/login", "getLoginFlows");
  const flows = body["flows"] as { type: string; identity_providers?: object[] }[];
  const sso = flows.find(({ type }) => type === "m.login.sso");
  t.equal(sso?.identity_providers?.length, 8);
  t.strictSame(sso?.identity_providers?.[0], {
    id: "corp",
    name: "Provider corp",
    icon: "mxc://hearth.test/icon",
    brand: "github",
  });
  t.strictSame(sso?.identity_providers?.[1], { id: "staff", name: "Provider staff" });
  t.ok(flows.some(({ type }) => type === "m.login.token"));
});

t.test("redirectToIdP, login: somebody new gets an account, and the same one the next time", async (t) => {
  const ada = { sub: "ada-1", preferred_username: "Ada", name: "Ada Lovelace", email: "Ada@Example.org" };
  const { page } = await signIn(ada);
  t.match(page.url.href, /^https:\/\/app\.test\/\?loginToken=[^#]+#\/home$/);
  const client = await logIn(page);
  t.equal(client.userId, "@ada:hearth.test");
  const profile = await client.get("/_matrix/client/v3/profile/@ada:hearth.test", "getUserProfile");
  t.equal(profile.body["displayname"], "Ada Lovelace");
  t.match((await tokenLogin(tokenIn(page))).body, { errcode: "M_FORBIDDEN" }, "a token works once");
  const again = await logIn((await signIn({ ...ada, preferred_username: "countess" })).page);
  t.equal(again.userId, client.userId, "by the subject, whatever else has changed");
  t.not(again.deviceId, client.deviceId);
});

t.test("redirectToIdP: under the paths of old clients", async (t) => {
  await idp?.set({ person: { sub: "old", preferred_username: "old.client" } });
  for (const path of [
    "/_matrix/client/r0/login/sso/redirect",
    "/_matrix/client/unstable/org.matrix.msc2858/login/sso/redirect",
  ]) {
    const page = await new Browser().open(startUrl("/corp", app, path));
    t.equal((await logIn(page)).userId, "@old.client:hearth.test");
  }
});

t.test("redirectToIdP: names of other character sets are mapped", async (t) => {
  const { page } = await signIn({ sub: "o-1", preferred_username: "Zoë O'Hara" });
  t.equal((await logIn(page)).userId, "@zo=c3=ab=20o=27hara:hearth.test");
});

t.test("redirectToSSO: a page to choose the provider, in the reader's language", async (t) => {
  await idp?.set({ person: { sub: "chooser", preferred_username: "chooser" } });
  const browser = new Browser("zh-CN,zh;q=0.9");
  const page = await browser.open(startUrl(""));
  t.equal(page.status, 200);
  t.match(page.html, /lang="zh"/);
  t.match(page.html, /使用 Provider picky 登录/);
  t.notMatch(page.html, /<script/);
  const policy = page.headers.get("Content-Security-Policy") ?? "";
  t.match(policy, /default-src 'none'/);
  t.match(policy, /frame-ancestors 'none'/);
  const back = await browser.follow(page, "Provider corp");
  t.equal((await logIn(back)).userId, "@chooser:hearth.test");
});

t.test("redirectToSSO, redirectToIdP: addresses that nobody may be sent to", async (t) => {
  for (const bad of ["javascript:alert(1)", "data:text/html,x", "nonsense", "https://u:p@app.test/", ""]) {
    checkError(t, await new Browser().open(startUrl("/corp", bad)), 400, /return to/);
    checkError(t, await new Browser().open(startUrl("", bad)), 400, /return to/);
  }
  const missing = await anonymous(server).get(`${redirectPath}/corp`);
  t.match(missing, { status: 400, body: { errcode: "M_MISSING_PARAM" } });
  checkError(t, await new Browser().open(startUrl("/nobody")), 404, /nobody/);
});

t.test(
  "ssoConfirmClient: a client that the server does not know gets a token when the user agrees",
  async (t) => {
    const person = { sub: "careful", preferred_username: "careful" };
    const { browser, page } = await signIn(person, "corp", "https://evil.test/steal?a=b");
    t.equal(page.status, 200);
    t.match(page.html, /evil\.test/);
    t.match(page.html, /@careful:hearth\.test/);
    t.notMatch(page.html, /hlt_/, "the token is not there yet");
    t.match(page.headers.get("Content-Security-Policy"), /form-action 'self' https:\/\/evil\.test;/);
    for (const headers of [{ "Sec-Fetch-Site": "cross-site" }, { "Sec-Fetch-Site": "same-site" }]) {
      checkError(t, await browser.submit(page, { headers }), 403, /did not come from a page/);
    }
    const forged = await fetch(`${server.url}/_synapse/client/sso_confirm`, {
      method: "POST",
      headers: { "Content-Type": "application/x-www-form-urlencoded", Origin: "https://evil.test" },
      body: "confirmation=a",
    });
    t.equal(forged.status, 403);
    checkError(t, await browser.submit(page, { fields: { confirmation: "made up" } }), 400, /too long/);
    const back = await browser.submit(page);
    t.match(back.url.href, /^https:\/\/evil\.test\/steal\?a=b&loginToken=/);
    t.equal((await logIn(back)).userId, "@careful:hearth.test");
    const native = await signIn(person, "corp", "io.element:/callback");
    t.match(native.page.headers.get("Content-Security-Policy"), /form-action 'self' io\.element:;/);
    t.match((await native.browser.submit(native.page)).url.href, /^io\.element:\/callback\?loginToken=/);
  },
);

t.test("ssoCallback: an answer to nobody's question, another's, or a second time is refused", async (t) => {
  await idp?.set({ person: { sub: "mallory", preferred_username: "mallory" } });
  const callback = `${server.url}/_synapse/client/oidc/callback`;
  checkError(t, await new Browser().open(callback), 400, /another browser/);
  checkError(t, await new Browser().open(`${callback}?code=a&state=b`), 400, /another browser/);
  const attacker = new Browser();
  const begun = await fetch(startUrl("/corp"), { redirect: "manual" });
  const cookies = begun.headers.getSetCookie();
  t.equal(cookies.length, 1);
  t.match(
    cookies[0],
    /^hearth_sso_[\w-]+=[\w-]+; Path=\/_synapse\/client\/oidc\/callback; HttpOnly; SameSite=Lax; Max-Age=900$/,
  );
  const asked = new URL(begun.headers.get("Location") ?? "");
  t.equal(asked.searchParams.get("code_challenge_method"), "S256");
  t.equal(asked.searchParams.get("redirect_uri"), callback);
  for (const secret of ["state", "nonce", "code_challenge"])
    t.ok((asked.searchParams.get(secret) ?? "").length >= 43);
  checkError(t, await attacker.open(asked), 400, /another browser/);
  const { browser, page } = await signIn({ sub: "mallory", preferred_username: "mallory" });
  t.ok(tokenIn(page));
  t.strictSame(browser.cookieHeaders(/^hearth_sso/), [], "the cookie has done its duty");
});

t.test("ssoCallback: what goes wrong at the provider is said, and nobody is signed in", async (t) => {
  await idp?.set({ person: { sub: "refuser", preferred_username: "refuser" }, refuses: true });
  checkError(t, await new Browser().open(startUrl("/corp")), 502, /did not sign you in/);
  await idp?.set({ refuses: false, hangs: true });
  checkError(t, await new Browser().open(startUrl("/corp")), 502, /did not sign you in/);
  await idp?.set({ hangs: false, skewMs: -90_000 });
  checkError(t, await new Browser().open(startUrl("/strict")), 502, /did not sign you in/);
  await idp?.set({ skewMs: -90_000 });
  t.ok(tokenIn(await new Browser().open(startUrl("/corp"))), "a clock may differ a little");
  await idp?.set({ skewMs: 0, newKey: true, hidesKeys: true });
  checkError(t, await new Browser().open(startUrl("/corp")), 502, /did not sign you in/);
  await idp?.set({ hidesKeys: false });
  t.ok(tokenIn(await new Browser().open(startUrl("/corp"))), "a new key is found at once");
});

t.test("redirectToIdP: a provider that cannot be reached, or may not be", async (t) => {
  checkError(t, await new Browser().open(startUrl("/down")), 502, /Provider down did not sign you in/);
  checkError(
    t,
    await new Browser().open(startUrl("/filtered")),
    502,
    /Provider filtered did not sign you in/,
  );
});

t.test("ssoCallback: attributes that are required", async (t) => {
  const person = { sub: "s-1", preferred_username: "member" };
  checkError(t, (await signIn(person, "staff")).page, 403, /may not be used here/);
  checkError(t, (await signIn({ ...person, groups: ["guests"] }, "staff")).page, 403, /may not be used here/);
  const { page } = await signIn({ ...person, groups: ["guests", "staff"] }, "staff");
  t.equal((await logIn(page)).userId, "@member:hearth.test");
});

t.test("ssoChooseName: who has no name, or one that is taken, chooses", async (t) => {
  await registerUser(server, "taken");
  const { browser, page } = await signIn({ sub: "n-1", name: "New One" }, "picky");
  t.match(page.html, /Choose your username/);
  t.match(page.headers.get("Content-Security-Policy"), /form-action 'self' https:\/\/app\.test;/);
  const choose = (username: string) => browser.submit(page, { fields: { username } });
  checkError(t, await choose("taken"), 400, /is taken/);
  checkError(t, await choose("no spaces"), 400, /not a username/);
  checkError(t, await choose('"><script>alert(1)</script>'), 400, /&lt;script&gt;/);
  checkError(
    t,
    await browser.submit(page, { fields: { username: "x", newcomer: "made up" } }),
    400,
    /too long/,
  );
  const elsewhere = { headers: { "Sec-Fetch-Site": "cross-site" }, fields: { username: "stolen" } };
  checkError(t, await browser.submit(page, elsewhere), 403, /did not come/);
  const chosen = await logIn(await choose("NewOne"));
  t.equal(chosen.userId, "@newone:hearth.test");
  const again = await logIn(await choose("another"));
  t.equal(again.userId, chosen.userId, "one account, however often the form is sent");
  const suggested = await signIn({ sub: "n-2", preferred_username: "taken" }, "corp");
  t.match(suggested.page.html, /value="taken"/);
});

t.test("ssoCallback: accounts that are there are linked only where that is wished", async (t) => {
  const bob = await registerUser(server, "bob");
  const { page } = await signIn({ sub: "b-1", preferred_username: "bob" }, "corp");
  t.match(page.html, /Choose your username/);
  const linked = await signIn({ sub: "b-1", preferred_username: "bob" }, "linking");
  t.equal((await logIn(linked.page)).userId, bob.userId);
  checkError(
    t,
    (await signIn({ sub: "b-2", preferred_username: "stranger" }, "closed")).page,
    403,
    /administrators/,
  );
});

t.test("ssoCallback: accounts that have ended or are locked stay shut", async (t) => {
  const person = { sub: "gone-1", preferred_username: "gone" };
  const gone = await logIn((await signIn(person)).page);
  const { body } = await gone.post("/_matrix/client/v3/account/deactivate", {});
  const stage = await signStage(gone, String(body["session"]), person);
  t.match(stage.html, /You can close this window/);
  await gone.post("/_matrix/client/v3/account/deactivate", { auth: { session: body["session"] } });
  checkError(t, (await signIn(person)).page, 403, /deactivated/);
});

/** Does the stage m.login.sso in a browser. */
async function signStage(
  client: TestClient,
  session: string,
  person: { sub: string; [claim: string]: unknown },
  provider = "Provider corp",
): Promise<BrowserPage> {
  await idp?.set({ person });
  const browser = new Browser();
  const path = "/_matrix/client/v3/auth/m.login.sso/fallback/web";
  const page = await browser.open(`${client.server.url}${path}?session=${encodeURIComponent(session)}`);
  return page.status === 200 ? browser.follow(page, provider) : page;
}

t.test("getAuthFallback: the stage m.login.sso confirms what a client asks for", async (t) => {
  const person = { sub: "st-1", preferred_username: "staged" };
  const first = await logIn((await signIn(person)).page);
  const second = await logIn((await signIn(person)).page);
  const remove = (auth?: object) =>
    first.delete(`/_matrix/client/v3/devices/${second.deviceId}`, auth && { auth }, "deleteDevice");
  const { status, body } = await remove();
  t.equal(status, 401);
  t.strictSame(body["flows"], [{ stages: ["m.login.sso"] }], "there is no password");
  const session = String(body["session"]);
  t.equal((await remove({ session })).status, 401);
  t.equal((await remove({ type: "m.login.sso", session })).status, 401, "saying so is not enough");
  const other = await signStage(first, session, { sub: "st-2", preferred_username: "other" });
  checkError(t, other, 403, /not the account/);
  await logIn((await signIn({ sub: "st-2", preferred_username: "other" })).page);
  checkError(t, await signStage(first, session, { sub: "st-2" }), 403, /not the account/);
  t.equal((await remove({ session })).status, 401);
  const done = await signStage(first, session, person);
  t.match(done.html, /window\.opener\.postMessage\("authDone", "\*"\)/);
  t.match(done.headers.get("Content-Security-Policy"), /script-src 'sha256-/);
  t.equal((await remove({ session })).status, 200);
  checkError(t, await signStage(first, "made up", person), 400, /too long/);
});

t.test("getAuthFallback: who has a password too may choose", async (t) => {
  const carol = await registerUser(server, "carol");
  const person = { sub: "c-1", preferred_username: "carol" };
  await logIn((await signIn(person, "linking")).page);
  const { body } = await carol.post("/_matrix/client/v1/login/get_token", {}, "generateLoginToken");
  t.strictSame(body["flows"], [{ stages: ["m.login.password"] }, { stages: ["m.login.sso"] }]);
  const auth = {
    type: "m.login.password",
    identifier: { type: "m.id.user", user: "carol" },
    password: testPassword,
  };
  t.equal((await carol.post("/_matrix/client/v1/login/get_token", { auth })).status, 200);
});

t.test("getLoginFallback: leads to the providers, and takes up the token", async (t) => {
  const page = await new Browser().open(`${server.url}/_matrix/static/client/login/?device_id=FALLBACK`);
  t.match(page.html, /href="\/_matrix\/client\/v3\/login\/sso\/redirect\/corp"/);
  t.match(page.html, /type: "m\.login\.token", token: loginToken/);
  const own = `${server.url}/_matrix/static/client/login/?device_id=FALLBACK`;
  const back = await signIn({ sub: "fb", preferred_username: "fallback" }, "corp", own);
  t.match(back.page.url.href, /\/_matrix\/static\/client\/login\/\?device_id=FALLBACK&loginToken=hlt_/);
});

t.test("redirectToSSO: across a restart of the server", async (t) => {
  await idp?.set({ person: { sub: "r-1", preferred_username: "restarted" } });
  const browser = new Browser();
  const page = await browser.open(startUrl("/picky"));
  await server.restart();
  const chosen = await browser.submit(page, { fields: { username: "restarted" } });
  t.equal((await logIn(chosen)).userId, "@restarted:hearth.test");
});
