import { createHash, randomBytes } from "node:crypto";
import { Browser, type BrowserPage } from "./browser.ts";
import { TestClient, testPassword } from "./client.ts";
import type { TestServer } from "./server.ts";

export interface OAuthAnswer {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly headers: Headers;
}

export const webClient = {
  client_name: "Test App",
  client_uri: "https://app.test/",
  redirect_uris: ["https://app.test/callback"],
  response_types: ["code"],
  grant_types: ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
  token_endpoint_auth_method: "none",
};

/** A scope for a new device. */
export function deviceScope(deviceId = `DEV${randomBytes(6).toString("hex").toUpperCase()}`): string {
  return `urn:matrix:client:api:* urn:matrix:client:device:${deviceId}`;
}

/** A client of the OAuth 2.0 API that has registered itself. */
export class OAuthClient {
  readonly server: TestServer;
  readonly clientId: string;
  readonly redirectUri: string;

  private constructor(server: TestServer, clientId: string, redirectUri: string) {
    this.server = server;
    this.clientId = clientId;
    this.redirectUri = redirectUri;
  }

  static async register(server: TestServer, metadata: object = {}): Promise<OAuthClient> {
    const whole = { ...webClient, ...metadata };
    const answer = await registerClient(server, whole);
    if (answer.status !== 201) throw new Error(`registering a client failed: ${JSON.stringify(answer.body)}`);
    return new OAuthClient(server, String(answer.body["client_id"]), whole.redirect_uris[0] ?? "");
  }

  /** What begins the authorization code flow, with what is needed to end it. */
  begin(changes: Readonly<Record<string, string | undefined>> = {}) {
    const verifier = randomBytes(32).toString("base64url");
    const parameters: Record<string, string | undefined> = {
      response_type: "code",
      response_mode: "query",
      client_id: this.clientId,
      redirect_uri: this.redirectUri,
      scope: deviceScope(),
      state: randomBytes(16).toString("base64url"),
      code_challenge: createHash("sha256").update(verifier).digest("base64url"),
      code_challenge_method: "S256",
      ...changes,
    };
    const url = new URL(`${this.server.url}/oauth2/authorize`);
    for (const [name, value] of Object.entries(parameters)) {
      if (value !== undefined) url.searchParams.set(name, value);
    }
    return { url, verifier, state: parameters["state"] ?? "" };
  }

  /** What the token endpoint answers. */
  token(fields: Readonly<Record<string, string>>): Promise<OAuthAnswer> {
    return postForm(this.server, "/oauth2/token", { client_id: this.clientId, ...fields });
  }

  exchange(code: string, verifier: string, changes: Readonly<Record<string, string>> = {}) {
    const fields = { grant_type: "authorization_code", code, code_verifier: verifier };
    return this.token({ ...fields, redirect_uri: this.redirectUri, ...changes });
  }

  refresh(refreshToken: unknown): Promise<OAuthAnswer> {
    return this.token({ grant_type: "refresh_token", refresh_token: String(refreshToken) });
  }

  /** A code that was just given to the client, and its verifier. */
  async code(localpart: string, browser = new Browser()): Promise<{ code: string; verifier: string }> {
    const { url, verifier } = this.begin();
    const back = await allow(browser, await signIn(browser, await browser.open(url), localpart));
    const code = back.url.searchParams.get("code");
    if (code === null) throw new Error(`there is no code in ${back.url.href} ${back.html}`);
    return { code, verifier };
  }

  /** Signs a user in by the whole flow. */
  async signIn(localpart: string, browser = new Browser()) {
    const { code, verifier } = await this.code(localpart, browser);
    const { body, status } = await this.exchange(code, verifier);
    if (status !== 200) throw new Error(`the code was not taken: ${JSON.stringify(body)}`);
    const accessToken = String(body["access_token"]);
    return {
      client: await clientOf(this.server, accessToken),
      refreshToken: String(body["refresh_token"]),
      body,
    };
  }
}

export function registerClient(server: TestServer, metadata: unknown): Promise<OAuthAnswer> {
  return post(server, "/oauth2/register", "application/json", JSON.stringify(metadata));
}

export function postForm(
  server: TestServer,
  path: string,
  fields: Readonly<Record<string, string>>,
): Promise<OAuthAnswer> {
  return post(server, path, "application/x-www-form-urlencoded", new URLSearchParams(fields).toString());
}

async function post(server: TestServer, path: string, type: string, body: string): Promise<OAuthAnswer> {
  const headers = { "Content-Type": type, Accept: "application/json" };
  const response = await fetch(server.url + path, { method: "POST", headers, body });
  const text = await response.text();
  return {
    status: response.status,
    body: text.startsWith("{") ? (JSON.parse(text) as Record<string, unknown>) : {},
    headers: response.headers,
  };
}

/** Fills in the page on which one signs in, if it is one. */
export async function signIn(
  browser: Browser,
  page: BrowserPage,
  localpart: string,
  password = testPassword,
): Promise<BrowserPage> {
  if (page.url.pathname !== "/account/sign-in") return page;
  return browser.submit(page, { fields: { username: localpart, password } });
}

/** Agrees on the page that asks. */
export function allow(browser: Browser, page: BrowserPage): Promise<BrowserPage> {
  return browser.submit(page, { fields: { answer: "allow" }, form: 'value="allow"' });
}

/** The user and device of an access token. */
export async function clientOf(server: TestServer, accessToken: string): Promise<TestClient> {
  const nobody = new TestClient(server, { userId: "", deviceId: "", accessToken });
  const { status, body } = await nobody.get("/_matrix/client/v3/account/whoami", "getTokenOwner");
  if (status !== 200) throw new Error(`the access token is not known: ${JSON.stringify(body)}`);
  const { user_id: userId, device_id: deviceId } = body;
  return new TestClient(server, { userId: String(userId), deviceId: String(deviceId), accessToken });
}
