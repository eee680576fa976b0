import t from "tap";
import { anonymous, login, registerUser } from "../support/client.ts";
import { startServer } from "../support/server.ts";

t.test("register and login give access to what needs an account", async (t) => {
  await using server = await startServer();
  const alice = await registerUser(server, "alice");
  t.equal(alice.userId, "@alice:hearth.test");
  const again = await login(server, alice);
  t.not(again.deviceId, alice.deviceId);
  t.match((await again.get("/_matrix/client/v3/account/whoami", "getTokenOwner")).body, {
    user_id: "@alice:hearth.test",
    device_id: again.deviceId,
    is_guest: false,
  });
  const refused = await anonymous(server).post("/_matrix/client/v3/register", {
    auth: { type: "m.login.dummy" },
    username: "alice",
    password: "another password",
  });
  t.equal(refused.status, 400);
  t.equal(refused.body["errcode"], "M_USER_IN_USE");
});
