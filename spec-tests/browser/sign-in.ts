import { strict as assert } from "node:assert";
import { join } from "node:path";
import { createClient, OAuth2 } from "matrix-js-sdk";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { startBrowserServer } from "../support/browser-server.ts";
import { anonymous, registerUser, testPassword } from "../support/client.ts";
import type { TestServer } from "../support/server.ts";
import { idpClient, startIdp } from "../support/upstream-idp.ts";

// The sign-in pages, driven as matrix-js-sdk's clients do.

/** Far above what anything takes, even on a busy machine. */
const timeoutMs = 180_000;
const callback = "https://app.test/callback";
const metadata = {
  client_name: "Browser Test",
  client_uri: "https://app.test/",
  application_type: "web" as const,
  redirect_uris: [callback] as [string],
};

interface Scene {
  readonly server: TestServer;
  readonly context: BrowserContext;
  /** Folder for screenshots. */
  readonly pictures: string;
}

/** What the page has refused to do by its own policy, and other complaints of the browser. */
const complaints: string[] = [];

const tests: Readonly<Record<string, (scene: Scene) => Promise<void>>> = {
  "signing in, refreshing and signing out with matrix-js-sdk": signInWithSdk,
  "making an account, with JavaScript switched off": registerWithoutScripts,
  "single sign-on, and a username to choose": signInBySso,
  "linking a device by its code": linkDevice,
  "the account page in Chinese, on a phone": accountOnPhone,
};

/** @param pictures folder for screenshots */
export async function testSignIn(browser: Browser, pictures: string): Promise<void> {
  await using idps = new AsyncDisposableStack();
  await using server = await startBrowserServer(async (baseUrl) => {
    const idp = idps.use(await startIdp(`${baseUrl}/_synapse/client/oidc/callback`));
    await idp.set({ person: { sub: "p-1", name: "Pia Person" } });
    const { issuer } = idp;
    const network = { allowed_private_ranges: ["127.0.0.0/8"] };
    return {
      branding: { organisation: "Example Hospital", accent_colour: "#0b6e4f" },
      sso: {
        providers: [
          { id: "corp", name: "Corporate ID", issuer, display_name: "{name}", ...idpClient, ...network },
        ],
      },
    };
  });
  await registerUser(server, "alice");
  for (const [name, test] of Object.entries(tests)) {
    const context = await browser.newContext({ javaScriptEnabled: !name.includes("switched off") });
    context.setDefaultTimeout(timeoutMs);
    await watch(context);
    await test({ server, context, pictures });
    await context.close();
    console.log(`ok - ${name}`);
  }
  assert.deepEqual(complaints, []);
}

/** The client's own page is not on any server: it only has to be there. */
async function watch(context: BrowserContext): Promise<void> {
  await context.route("https://app.test/**", (route) =>
    route.fulfill({ contentType: "text/html", body: "app" }),
  );
  context.on("console", (message) => {
    // That a form was refused is what some of it tries out.
    const isRefusal = message
      .text()
      .startsWith("Failed to load resource: the server responded with a status of 4");
    if (message.type() === "error" && !isRefusal) complaints.push(message.text());
  });
}

/** What a client of matrix-js-sdk begins with. */
async function beginWithSdk({ server }: Scene) {
  const authMetadata = await createClient({ baseUrl: server.url }).getAuthMetadata();
  const clientId = await OAuth2.registerClient(authMetadata, metadata);
  const deviceId = "BROWSERTEST";
  const oauth = new OAuth2(authMetadata, { clientId, deviceId });
  return { oauth, deviceId };
}

async function codeFrom(page: Page): Promise<string> {
  await page.waitForURL(`${callback}**`);
  const { hash, search } = new URL(page.url());
  const answer = new URLSearchParams(hash === "" ? search : hash.slice(1));
  return answer.get("code") ?? assert.fail(`no code in ${page.url()}`);
}

async function signInWithSdk(scene: Scene): Promise<void> {
  const { server, context } = scene;
  const { oauth, deviceId } = await beginWithSdk(scene);
  const page = await context.newPage();
  await page.goto(await oauth.generateAuthorizationCodeGrantUrl("a state", callback));
  await page.screenshot({ path: join(scene.pictures, "sign-in.png") });
  await page.getByLabel("Username").fill("alice");
  await page.getByLabel("Password").fill("not the password");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("alert").getByText("is wrong").waitFor();
  await page.screenshot({ path: join(scene.pictures, "wrong-password.png") });
  await page.getByLabel("Password").fill(testPassword);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Allow Browser Test?" }).waitFor();
  await page.screenshot({ path: join(scene.pictures, "consent.png") });
  await page.getByRole("button", { name: "Allow" }).click();
  const tokens = await oauth.completeAuthorizationCodeGrant(await codeFrom(page), callback);
  const client = createClient({ baseUrl: server.url, accessToken: tokens.access_token });
  const whoami = await client.whoami();
  assert.deepEqual([whoami.user_id, whoami.device_id], ["@alice:hearth.test", deviceId]);
  const renewed = await oauth.performRefreshTokenGrant(tokens.refresh_token ?? "");
  const renewedClient = createClient({ baseUrl: server.url, accessToken: renewed.access_token });
  assert.equal((await renewedClient.whoami()).device_id, deviceId);
  await oauth.revokeToken(renewed.access_token, "access_token");
  await assert.rejects(renewedClient.whoami(), { errcode: "M_UNKNOWN_TOKEN" });
}

async function registerWithoutScripts(scene: Scene): Promise<void> {
  const { oauth } = await beginWithSdk(scene);
  const page = await scene.context.newPage();
  await page.goto(await oauth.generateAuthorizationCodeGrantUrl("b", callback, "query", "create"));
  await page.screenshot({ path: join(scene.pictures, "register.png") });
  await page.getByLabel("Username").fill("newcomer");
  await page.getByLabel("Password").fill(testPassword);
  await page.getByRole("button", { name: "Create account" }).click();
  await page.getByText("@newcomer:hearth.test").waitFor();
  await page.getByRole("button", { name: "Allow" }).click();
  assert.ok(await codeFrom(page));
}

async function signInBySso(scene: Scene): Promise<void> {
  const { oauth } = await beginWithSdk(scene);
  const page = await scene.context.newPage();
  await page.goto(await oauth.generateAuthorizationCodeGrantUrl("c", callback));
  await page.getByRole("link", { name: "Continue with Corporate ID" }).click();
  await page.getByText("Your display name: Pia Person").waitFor();
  await page.screenshot({ path: join(scene.pictures, "choose-name.png") });
  await page.getByLabel("Username").fill("pia");
  await page.getByRole("button", { name: "Create account" }).click();
  await page.getByText("@pia:hearth.test").waitFor();
  await page.getByRole("button", { name: "Allow" }).click();
  assert.ok(await codeFrom(page));
  const legacy = `${scene.server.url}/_matrix/client/v3/login/sso/redirect/corp`;
  await page.goto(`${legacy}?redirectUrl=${encodeURIComponent(callback)}`);
  await page.getByText("app.test asks for access").waitFor();
  await page.screenshot({ path: join(scene.pictures, "confirm-client.png") });
  await page.getByRole("button", { name: "Continue" }).click();
  await page.waitForURL(`${callback}**`);
  const token = new URL(page.url()).searchParams.get("loginToken");
  const body = { type: "m.login.token", token };
  const answer = await anonymous(scene.server).post("/_matrix/client/v3/login", body, "login");
  assert.equal(answer.body["user_id"], "@pia:hearth.test");
}

async function linkDevice(scene: Scene): Promise<void> {
  const { oauth } = await beginWithSdk(scene);
  const session = await oauth.startDeviceAuthorizationGrant();
  const page = await scene.context.newPage();
  await page.goto(session.verification_uri);
  await page.getByLabel("Username").fill("alice");
  await page.getByLabel("Password").fill(testPassword);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByLabel("Code").fill(session.user_code.toLowerCase());
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByText(session.user_code).waitFor();
  await page.screenshot({ path: join(scene.pictures, "link.png") });
  await page.getByRole("button", { name: "Allow" }).click();
  await page.getByText("Your device is linked").waitFor();
  const answer = await oauth.waitForDeviceAuthorizationGrant(session);
  assert.ok("access_token" in answer);
}

async function accountOnPhone({ server, context, pictures }: Scene): Promise<void> {
  const page = await context.newPage();
  await page.setViewportSize({ width: 360, height: 740 });
  await page.setExtraHTTPHeaders({ "Accept-Language": "zh-CN" });
  await page.goto(`${server.url}/account/`);
  await page.getByLabel("用户名").fill("alice");
  await page.getByLabel("密码").fill(testPassword);
  await page.getByRole("button", { name: "登录", exact: true }).click();
  await page.getByRole("heading", { name: "您的账号" }).waitFor();
  await page.screenshot({ path: join(pictures, "account-zh.png"), fullPage: true });
}
