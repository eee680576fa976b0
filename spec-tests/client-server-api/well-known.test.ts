import t from "tap";
import { anonymous } from "../support/client.ts";
import { startServer } from "../support/server.ts";

const client = "/.well-known/matrix/client";
const support = "/.well-known/matrix/support";
const policy = "/.well-known/matrix/policy_server";

t.test("getWellknown: what the configuration says, but for the server's own keys", async (t) => {
  await using server = await startServer({
    public_base_url: "https://matrix.hearth.test",
    well_known: {
      map_style_url: "https://maps.test/style.json?key=abc",
      client: {
        "io.element.e2ee": { default: false },
        "m.homeserver": { base_url: "https://elsewhere.test" },
      },
    },
  });
  const { status, body, headers } = await anonymous(server).get(client, "getWellknown");
  t.equal(status, 200);
  const tileServer = { map_style_url: "https://maps.test/style.json?key=abc" };
  t.match(body, {
    "io.element.e2ee": { default: false },
    "m.homeserver": { base_url: "https://matrix.hearth.test" },
    "m.tile_server": tileServer,
    "org.matrix.msc3488.tile_server": tileServer,
  });
  t.equal(headers.get("Access-Control-Allow-Origin"), "*");
});

t.test("getWellknownSupport: whom to ask", async (t) => {
  const contacts = [
    { role: "m.role.admin", matrix_id: "@admin:elsewhere.test", email_address: "admin@hearth.test" },
    { role: "m.role.security", email_address: "security@hearth.test" },
  ];
  await using server = await startServer({
    well_known: { support_page: "https://hearth.test/help", support_contacts: contacts },
  });
  const nobody = anonymous(server);
  const told = await nobody.get(support, "getWellknownSupport");
  t.strictSame([told.status, told.body], [200, { contacts, support_page: "https://hearth.test/help" }]);
  await using other = await startServer({ well_known: { support_page: "https://hearth.test/help" } });
  t.strictSame((await anonymous(other).get(support, "getWellknownSupport")).body, {
    support_page: "https://hearth.test/help",
  });
});

t.test("getWellknownPolicy: the key of a policy server", async (t) => {
  const key = "6yhHGKhCiXTSEN2ksjV7kX_N6rBQZ3Xb-M7LlC6NS-s".replaceAll("_", "/").replaceAll("-", "+");
  await using server = await startServer({ well_known: { policy_server_key: key } });
  const { status, body } = await anonymous(server).get(policy, "getWellknownPolicy");
  t.strictSame([status, body], [200, { public_keys: { ed25519: key } }]);
});

t.test("getWellknownSupport, getWellknownPolicy: nothing is told that nobody has said", async (t) => {
  await using server = await startServer();
  const nobody = anonymous(server);
  for (const [path, operationId] of [
    [support, "getWellknownSupport"],
    [policy, "getWellknownPolicy"],
  ] as const) {
    const { status, body } = await nobody.get(path, operationId);
    t.strictSame([status, body["errcode"]], [404, "M_NOT_FOUND"]);
  }
  const told = Object.keys((await nobody.get(client, "getWellknown")).body);
  t.ok(told.includes("m.homeserver"));
  for (const key of ["m.tile_server", "org.matrix.msc3488.tile_server", "org.matrix.msc4143.rtc_foci"]) {
    t.notOk(told.includes(key), key);
  }
});
