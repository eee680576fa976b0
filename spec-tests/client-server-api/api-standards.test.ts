import t from "tap";
import { anonymous, registerUser } from "../support/client.ts";
import { startServer } from "../support/server.ts";

t.test("getVersions says which releases of the specification are served, and which proposals", async (t) => {
  await using server = await startServer();
  const { status, body } = await anonymous(server).get("/_matrix/client/versions", "getVersions");
  t.equal(status, 200);
  // What clients of today ask for at the least, and what they take for authenticated media, relations and threads.
  for (const release of ["v1.1", "v1.4", "v1.10", "v1.11", "v1.19"]) {
    t.ok((body["versions"] as string[]).includes(release), release);
  }
  t.match(body["unstable_features"], {
    "org.matrix.e2e_cross_signing": true,
    "uk.tcpip.msc4133.stable": true,
  });
});

t.test("JSON is application/json, and nothing more", async (t) => {
  await using server = await startServer();
  for (const path of ["/_matrix/client/v3/login", "/_matrix/client/v3/nothing"]) {
    const { headers } = await fetch(`${server.url}${path}`);
    t.equal(headers.get("Content-Type"), "application/json", path);
  }
});

t.test(
  "getTokenOwner: an access token in the query counts only where the configuration says so",
  async (t) => {
    for (const in_query of [false, true]) {
      await using server = await startServer({ access_tokens: { in_query } });
      const alice = await registerUser(server);
      const bob = await registerUser(server);
      const whoami = (token: string) =>
        `/_matrix/client/v3/account/whoami?access_token=${encodeURIComponent(token)}`;
      const { status, body } = await anonymous(server).get(whoami(alice.accessToken), "getTokenOwner");
      t.equal(status, in_query ? 200 : 401);
      t.equal(in_query ? body["user_id"] : body["errcode"], in_query ? alice.userId : "M_MISSING_TOKEN");
      const unknown = await anonymous(server).get(whoami("nonsense"), "getTokenOwner");
      t.match(unknown, { status: 401, body: { errcode: in_query ? "M_UNKNOWN_TOKEN" : "M_MISSING_TOKEN" } });
      const both = await bob.get(whoami(alice.accessToken), "getTokenOwner");
      t.equal(both.body["user_id"], bob.userId, "the header has precedence");
    }
  },
);

t.test("an unknown path is 404 M_UNRECOGNIZED, a known one by the wrong method 405", async (t) => {
  await using server = await startServer();
  const unknown = await fetch(`${server.url}/_matrix/client/v3/nothing`);
  t.equal(unknown.status, 404);
  t.match(await unknown.json(), { errcode: "M_UNRECOGNIZED" });
  const wrongMethod = await fetch(`${server.url}/_matrix/client/versions`, { method: "POST", body: "{}" });
  t.equal(wrongMethod.status, 405);
  t.match(await wrongMethod.json(), { errcode: "M_UNRECOGNIZED" });
});

t.test("getWellknown tells clients where the server is", async (t) => {
  await using server = await startServer();
  const { status, body } = await anonymous(server).get("/.well-known/matrix/client", "getWellknown");
  t.equal(status, 200);
  t.match(body, { "m.homeserver": { base_url: /^https?:\/\// } });
});
