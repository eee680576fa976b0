import { join } from "node:path";
import BetterSqlite3 from "better-sqlite3";
import t from "tap";
import { anonymous, registerAdmin, registerUser, TestClient, testPassword } from "../support/client.ts";
import { startServer } from "../support/server.ts";

const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());

const whoami = "/_matrix/client/v3/account/whoami";

interface Tokens {
  readonly access: TestClient;
  readonly refreshToken: string;
}

function tokensOf(body: Record<string, unknown>): Tokens {
  const { access_token: accessToken, refresh_token: refreshToken } = body;
  if (typeof accessToken !== "string" || typeof refreshToken !== "string")
    throw new Error(JSON.stringify(body));
  return { access: new TestClient(server, { userId: "", deviceId: "", accessToken }), refreshToken };
}

/** A session whose client can refresh its tokens. */
async function logIn(user: string): Promise<Tokens> {
  const asked = { type: "m.login.password", user, password: testPassword, refresh_token: true };
  const { body } = await anonymous(server).post("/_matrix/client/v3/login", asked, "login");
  return tokensOf(body);
}

async function refresh(refreshToken: string): Promise<Tokens> {
  const asked = { refresh_token: refreshToken };
  const { body } = await anonymous(server).post("/_matrix/client/v3/refresh", asked, "refresh");
  return tokensOf(body);
}

async function refusal(refreshToken: unknown): Promise<{ status: number; errcode: unknown }> {
  const asked = { refresh_token: refreshToken };
  const { status, body } = await anonymous(server).post("/_matrix/client/v3/refresh", asked, "refresh");
  return { status, errcode: body["errcode"] };
}

const unknownToken = { status: 401, errcode: "M_UNKNOWN_TOKEN" };

t.test("refresh: new tokens take the place of the old ones once they are used", async (t) => {
  await registerUser(server, "anna");
  const first = await logIn("anna");
  t.equal((await first.access.get(whoami)).status, 200);
  const second = await refresh(first.refreshToken);
  t.equal((await first.access.get(whoami)).status, 200, "nobody has used the new one yet");
  t.equal((await second.access.get(whoami)).status, 200);
  t.match((await first.access.get(whoami)).body, { errcode: "M_UNKNOWN_TOKEN" });
  t.strictSame(await refusal(first.refreshToken), unknownToken);
  const third = await refresh(second.refreshToken);
  t.equal((await third.access.get(whoami)).status, 200);
});

t.test("refresh: whose answer was lost can be repeated", async (t) => {
  await registerUser(server, "bert");
  const first = await logIn("bert");
  const lost = await refresh(first.refreshToken);
  const second = await refresh(first.refreshToken);
  t.strictSame(await refusal(lost.refreshToken), unknownToken);
  t.equal((await lost.access.get(whoami)).status, 401);
  t.equal((await second.access.get(whoami)).status, 200);
});

t.test("refresh: a token that has expired is a soft logout, and can be refreshed", async (t) => {
  await registerUser(server, "cleo");
  const first = await logIn("cleo");
  const database = new BetterSqlite3(join(server.folder, "hearth.db"));
  database.exec("UPDATE access_tokens SET expires_ts = 1 WHERE expires_ts IS NOT NULL");
  database.close();
  const refused = await first.access.get(whoami, "getTokenOwner");
  t.equal(refused.status, 401);
  t.match(refused.body, { errcode: "M_UNKNOWN_TOKEN", soft_logout: true });
  const second = await refresh(first.refreshToken);
  t.equal((await second.access.get(whoami)).status, 200);
});

t.test("refresh: tokens that do not refresh", async (t) => {
  const alice = await registerUser(server, "dana");
  for (const token of ["made up", "", alice.accessToken]) {
    t.strictSame(await refusal(token), unknownToken);
  }
  t.equal((await refusal(5)).errcode, "M_BAD_JSON");
  const session = await logIn("dana");
  await session.access.post("/_matrix/client/v3/logout", {});
  t.strictSame(await refusal(session.refreshToken), unknownToken);
});

t.test("refresh: not while the account is locked", async (t) => {
  const admin = await registerAdmin(server);
  await registerUser(server, "emil");
  const session = await logIn("emil");
  const lock = (locked: boolean) => admin.put("/_matrix/client/v1/admin/lock/@emil:hearth.test", { locked });
  await lock(true);
  t.strictSame(await refusal(session.refreshToken), { status: 401, errcode: "M_USER_LOCKED" });
  await lock(false);
  t.ok(await refresh(session.refreshToken));
});
