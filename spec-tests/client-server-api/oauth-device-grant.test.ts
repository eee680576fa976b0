import t from "tap";
import { Browser, type BrowserPage } from "../support/browser.ts";
import { startBrowserServer } from "../support/browser-server.ts";
import { registerUser } from "../support/client.ts";
import { clientOf, deviceScope, OAuthClient, postForm, signIn } from "../support/oauth.ts";

const server = await startBrowserServer();
t.teardown(() => server[Symbol.asyncDispose]());
for (const name of ["alice", "bob"]) await registerUser(server, name);
const app = await OAuthClient.register(server);
const deviceCodeGrant = "urn:ietf:params:oauth:grant-type:device_code";

/** A device that asks for a code. */
async function ask(scope = deviceScope(), clientId = app.clientId) {
  const { status, body } = await postForm(server, "/oauth2/device", { client_id: clientId, scope });
  return { status, body, deviceCode: String(body["device_code"]), userCode: String(body["user_code"]) };
}

function poll(deviceCode: string, client = app) {
  return client.token({ grant_type: deviceCodeGrant, device_code: deviceCode });
}

function answer(browser: Browser, page: BrowserPage, value: string): Promise<BrowserPage> {
  return browser.submit(page, { fields: { answer: value }, form: 'value="allow"' });
}

t.test(
  "oauthDevice, answerDeviceLink, oauthToken: a device signs in by a code that the user enters",
  async (t) => {
    const scope = deviceScope("SETTOPBOX1");
    const { status, body, deviceCode, userCode } = await ask(scope);
    t.equal(status, 200);
    t.match(userCode, /^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/);
    t.match(body, {
      verification_uri: `${server.url}/link`,
      verification_uri_complete: `${server.url}/link?user_code=${userCode}`,
      expires_in: 1200,
    });
    t.match(await poll(deviceCode), { status: 400, body: { error: "authorization_pending" } });
    const browser = new Browser();
    const form = await signIn(browser, await browser.open(`${server.url}/link`), "alice");
    t.match(form.html, /Enter the code/);
    const typed = new URL("/link", server.url);
    typed.searchParams.set("user_code", ` ${userCode.toLowerCase().replace("-", " ")} `);
    const consent = await browser.open(typed);
    t.match(consent.html, new RegExp(userCode));
    t.match(consent.html, /Test App/);
    t.match(consent.html, /SETTOPBOX1/);
    t.match(consent.html, /127\.0\.0\.1/);
    t.match(await poll(deviceCode), { body: { error: "authorization_pending" } });
    t.match((await answer(browser, consent, "allow")).html, /Your device is linked/);
    const other = await OAuthClient.register(server, { client_name: "Other" });
    t.match(await poll(deviceCode, other), { status: 400, body: { error: "invalid_grant" } });
    const { body: tokens } = await poll(deviceCode);
    t.match(tokens, { token_type: "Bearer", scope, refresh_token: /^hrt_/ });
    const client = await clientOf(server, String(tokens["access_token"]));
    t.match(client, { userId: "@alice:hearth.test", deviceId: "SETTOPBOX1" });
    t.equal((await app.refresh(tokens["refresh_token"])).status, 200);
    t.match(await poll(deviceCode), { status: 400, body: { error: "invalid_grant" } }, "it works once");
  },
);

t.test("showDeviceLink: the link with the code leads there by way of signing in", async (t) => {
  const { body, deviceCode } = await ask();
  const browser = new Browser();
  const consent = await signIn(browser, await browser.open(String(body["verification_uri_complete"])), "bob");
  t.match(consent.html, /@bob:hearth\.test/);
  t.match((await answer(browser, consent, "deny")).html, /was not linked/);
  t.match(await poll(deviceCode), { status: 400, body: { error: "access_denied" } });
  const again = await answer(browser, consent, "allow");
  t.equal(again.status, 404, "what was refused stays refused");
});

t.test("showDeviceLink: codes that nobody waits with, other sites, other users", async (t) => {
  const browser = new Browser();
  await signIn(browser, await browser.open(`${server.url}/link`), "alice");
  for (const code of ["BBBB-BBBB", "", "'; DROP TABLE", "sha256:00"]) {
    const page = await browser.open(`${server.url}/link?user_code=${encodeURIComponent(code)}`);
    t.equal(page.status, 404, code);
    t.match(page.html, /There is no such code/);
  }
  const { userCode, deviceCode } = await ask();
  const consent = await browser.open(`${server.url}/link?user_code=${userCode}`);
  const forged = {
    fields: { answer: "allow" },
    form: 'value="allow"',
    headers: { "Sec-Fetch-Site": "cross-site" },
  };
  t.equal((await browser.submit(consent, forged)).status, 403);
  const bob = new Browser();
  await signIn(bob, await bob.open(`${server.url}/link`), "bob");
  t.match((await answer(bob, consent, "allow")).html, /@bob:hearth\.test/, "asked anew as who is signed in");
  t.match(await poll(deviceCode), { body: { error: "authorization_pending" } });
});

t.test("oauthDevice, oauthToken: requests that are none", async (t) => {
  t.match(await ask("openid"), { status: 400, body: { error: "invalid_scope" } });
  t.match(await ask("urn:matrix:client:api:*"), { status: 400, body: { error: "invalid_scope" } });
  t.match(await ask(deviceScope(), "nobody"), { status: 401, body: { error: "invalid_client" } });
  const codeOnly = await OAuthClient.register(server, {
    grant_types: ["authorization_code", "refresh_token"],
  });
  t.match(await ask(deviceScope(), codeOnly.clientId), {
    status: 400,
    body: { error: "invalid_request" },
  });
  t.match(await poll("made up"), { status: 400, body: { error: "invalid_grant" } });
  t.match(await app.token({ grant_type: deviceCodeGrant }), {
    status: 400,
    body: { error: "invalid_request" },
  });
});

t.test("oauthToken: two polls at once get one session at most", async (t) => {
  const { userCode, deviceCode } = await ask();
  const browser = new Browser();
  const page = await browser.open(`${server.url}/link?user_code=${userCode}`);
  await answer(browser, await signIn(browser, page, "alice"), "allow");
  const polls = await Promise.all(Array.from({ length: 6 }, () => poll(deviceCode)));
  t.ok(polls.filter(({ status }) => status === 200).length <= 1);
});

t.test("oauthDevice: a device waits across a restart", async (t) => {
  const { userCode, deviceCode } = await ask();
  await server.restart();
  const browser = new Browser();
  const page = await browser.open(`${server.url}/link?user_code=${userCode}`);
  await answer(browser, await signIn(browser, page, "alice"), "allow");
  t.equal((await poll(deviceCode)).status, 200);
});
