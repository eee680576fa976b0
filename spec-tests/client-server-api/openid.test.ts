import t from "tap";
import {
  anonymous,
  passwordAuth,
  registerAdmin,
  registerGuest,
  registerUser,
  type TestClient,
} from "../support/client.ts";
import { startServer } from "../support/server.ts";

const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());
const service = anonymous(server);

function request(client: TestClient, user = client) {
  const path = `/_matrix/client/v3/user/${encodeURIComponent(user.userId)}/openid/request_token`;
  return client.post(path, {}, "requestOpenIdToken");
}

/** What a service is told of whoever showed it a token. */
async function ownerOf(token: unknown) {
  const path = `/_matrix/federation/v1/openid/userinfo?access_token=${encodeURIComponent(String(token))}`;
  const { status, body } = await service.get(path);
  return [status, body["sub"] ?? body["errcode"]];
}

t.test(
  "requestOpenIdToken, exchangeOpenIdToken: other services learn whose token it is, and nothing more",
  async (t) => {
    const alice = await registerUser(server);
    const { status, body } = await request(alice);
    t.equal(status, 200);
    t.match(body, { expires_in: 3_600, matrix_server_name: "hearth.test", token_type: "Bearer" });
    t.strictSame(await ownerOf(body["access_token"]), [200, alice.userId]);
    t.strictSame(await ownerOf(body["access_token"]), [200, alice.userId], "as often as they like");
    await server.restart();
    t.strictSame(await ownerOf(body["access_token"]), [200, alice.userId], "after a restart");
    const thief = { userId: "", deviceId: "", accessToken: String(body["access_token"]) };
    const asked = await service.call(undefined, "GET", "/_matrix/client/v3/account/whoami", undefined, {
      Authorization: `Bearer ${thief.accessToken}`,
    });
    t.equal(asked.status, 401, "it is no access token");
    t.not((await request(alice)).body["access_token"], body["access_token"]);
  },
);

t.test("requestOpenIdToken: for oneself only", async (t) => {
  const [alice, bob] = [await registerUser(server), await registerUser(server)];
  t.match(await request(alice, bob), { status: 403, body: { errcode: "M_FORBIDDEN" } });
  t.match(await request(await registerGuest(server)), {
    status: 403,
    body: { errcode: "M_GUEST_ACCESS_FORBIDDEN" },
  });
  const path = `/_matrix/client/v3/user/${alice.userId}/openid/request_token`;
  t.match(await alice.post(path, [], "requestOpenIdToken"), { status: 400, body: { errcode: "M_BAD_JSON" } });
});

t.test("exchangeOpenIdToken: what is no token, or one of somebody who is gone", async (t) => {
  t.strictSame(await ownerOf("nonsense"), [401, "M_UNKNOWN_TOKEN"]);
  const alice = await registerUser(server);
  t.strictSame(await ownerOf(alice.accessToken), [401, "M_UNKNOWN_TOKEN"], "an access token is none");
  const missing = await service.get("/_matrix/federation/v1/openid/userinfo");
  t.strictSame([missing.status, missing.body["errcode"]], [401, "M_MISSING_TOKEN"]);
  const { body } = await request(alice);
  const admin = await registerAdmin(server);
  const lock = (locked: boolean) =>
    admin.put(`/_matrix/client/v1/admin/lock/${alice.userId}`, { locked }, "setAdminLockUser");
  await lock(true);
  t.strictSame(await ownerOf(body["access_token"]), [401, "M_UNKNOWN_TOKEN"], "locked");
  await lock(false);
  t.strictSame(await ownerOf(body["access_token"]), [200, alice.userId]);
  const auth = passwordAuth(alice);
  await alice.post("/_matrix/client/v3/account/deactivate", { auth }, "deactivateAccount");
  t.strictSame(await ownerOf(body["access_token"]), [401, "M_UNKNOWN_TOKEN"], "deactivated");
});
