import { createHmac, randomBytes } from "node:crypto";
import { assertMatchesSpec } from "./openapi.ts";
import type { TestServer } from "./server.ts";

export interface TestAnswer {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly headers: Headers;
}

interface Identity {
  readonly userId: string;
  readonly deviceId: string;
  readonly accessToken: string;
}

export const testPassword = "correct horse battery staple";

/** Somebody who talks to the server over HTTP: a device of a user, or nobody in particular. */
export class TestClient {
  readonly server: TestServer;
  readonly userId: string;
  readonly deviceId: string;
  /** Empty for nobody in particular. */
  readonly accessToken: string;

  constructor(server: TestServer, { userId, deviceId, accessToken }: Identity) {
    this.server = server;
    this.userId = userId;
    this.deviceId = deviceId;
    this.accessToken = accessToken;
  }

  /**
   * Sends a request, with JSON when there is a body.
   * @param operationId the operation whose description the answer is held to; `undefined` for none
   * @param path from `/_matrix` on, with its query
   */
  async call(
    operationId: string | undefined,
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<TestAnswer> {
    const response = await fetch(this.server.url + path, {
      method,
      headers: {
        ...(this.accessToken !== "" && { Authorization: `Bearer ${this.accessToken}` }),
        ...(body !== undefined && { "Content-Type": "application/json" }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const answer = { status: response.status, body: jsonObject(text), headers: response.headers };
    if (operationId !== undefined) assertMatchesSpec(operationId, answer.status, answer.body);
    return answer;
  }

  get(path: string, operationId?: string): Promise<TestAnswer> {
    return this.call(operationId, "GET", path);
  }

  put(path: string, body: unknown, operationId?: string): Promise<TestAnswer> {
    return this.call(operationId, "PUT", path, body);
  }

  post(path: string, body: unknown, operationId?: string): Promise<TestAnswer> {
    return this.call(operationId, "POST", path, body);
  }

  delete(path: string, body?: unknown, operationId?: string): Promise<TestAnswer> {
    return this.call(operationId, "DELETE", path, body);
  }
}

/** A client that has no token. */
export function anonymous(server: TestServer): TestClient {
  return new TestClient(server, { userId: "", deviceId: "", accessToken: "" });
}

export interface RegisterOptions {
  readonly password?: string;
  readonly deviceId?: string;
  readonly deviceName?: string;
}

/** A new user with their first device; without a localpart they get a unique one. */
export async function registerUser(
  server: TestServer,
  localpart = `user-${randomBytes(8).toString("hex")}`,
  options: RegisterOptions = {},
): Promise<TestClient> {
  const answer = await anonymous(server).post("/_matrix/client/v3/register", {
    auth: { type: "m.login.dummy" },
    username: localpart,
    password: options.password ?? testPassword,
    ...deviceKeys(options),
  });
  return clientOf(server, answer, `registering ${localpart}`);
}

/** A guest, whose name and device the server chooses. */
export async function registerGuest(server: TestServer, body: object = {}): Promise<TestClient> {
  const answer = await anonymous(server).post("/_matrix/client/v3/register?kind=guest", body, "register");
  return clientOf(server, answer, "registering a guest");
}

/** Another device of a user, who is given by ID, localpart or one of their devices. */
export async function login(
  server: TestServer,
  user: TestClient | string,
  options: RegisterOptions = {},
): Promise<TestClient> {
  const name = typeof user === "string" ? user : user.userId;
  const answer = await anonymous(server).post("/_matrix/client/v3/login", {
    type: "m.login.password",
    identifier: { type: "m.id.user", user: name },
    password: options.password ?? testPassword,
    ...deviceKeys(options),
  });
  return clientOf(server, answer, `logging in ${name}`);
}

/** An administrator of the server, made with the shared secret of `startServer`. */
export async function registerAdmin(
  server: TestServer,
  localpart = `admin-${randomBytes(8).toString("hex")}`,
): Promise<TestClient> {
  const client = anonymous(server);
  const path = "/_synapse/admin/v1/register";
  const nonce = String((await client.get(path)).body["nonce"]);
  const signed = [nonce, localpart, testPassword, "admin"].join("\0");
  const mac = createHmac("sha1", "test secret").update(signed).digest("hex");
  const body = { nonce, username: localpart, password: testPassword, admin: true, mac };
  return clientOf(server, await client.post(path, body), `registering ${localpart}`);
}

/** What confirms a request that needs user-interactive authentication. */
export function passwordAuth({ userId }: TestClient, password = testPassword): object {
  return { type: "m.login.password", identifier: { type: "m.id.user", user: userId }, password };
}

function deviceKeys({ deviceId, deviceName }: RegisterOptions): object {
  return {
    ...(deviceId !== undefined && { device_id: deviceId }),
    ...(deviceName !== undefined && { initial_device_display_name: deviceName }),
  };
}

function clientOf(server: TestServer, { status, body }: TestAnswer, attempt: string): TestClient {
  const { user_id: userId, device_id: deviceId, access_token: accessToken } = body;
  if (typeof userId !== "string" || typeof deviceId !== "string" || typeof accessToken !== "string") {
    throw new Error(`${attempt} failed: ${status} ${JSON.stringify(body)}`);
  }
  return new TestClient(server, { userId, deviceId, accessToken });
}

/** An empty answer, and one that is not JSON, is an empty object: `status` tells. */
function jsonObject(text: string): Record<string, unknown> {
  if (!text.startsWith("{")) return {};
  return JSON.parse(text) as Record<string, unknown>;
}
