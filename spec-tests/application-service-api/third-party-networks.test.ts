import t from "tap";
import { appserviceConfig, TestAppservice } from "../support/appservice.ts";
import { registerUser, type TestClient } from "../support/client.ts";
import { assertMatchesSpec } from "../support/openapi.ts";
import { createRoom } from "../support/rooms.ts";
import { startServer } from "../support/server.ts";

// Application service API, "Third-party networks" and "Published room directories".

const v3 = "/_matrix/client/v3";
const libera = await TestAppservice.start({ id: "libera", more: { protocols: ["irc"] } });
const oftc = await TestAppservice.start({ id: "oftc", more: { protocols: ["irc", "xmpp"] } });
const server = await startServer(await appserviceConfig(t, libera, oftc));
t.teardown(async () => {
  await server[Symbol.asyncDispose]();
  for (const appservice of [libera, oftc]) await appservice.close();
});
const alice = await registerUser(server, "alice");

const protocol = (networkId: string) => ({
  user_fields: ["network", "nickname"],
  location_fields: ["network", "channel"],
  icon: "mxc://example.org/aBcDeFgH",
  field_types: { nickname: { regexp: "[^\\s]+", placeholder: "username" } },
  instances: [{ network_id: networkId, desc: networkId, fields: { network: networkId } }, { broken: true }],
});

/** The answers of these endpoints are lists, which the test client does not know. */
async function lookUp(client: TestClient, path: string, operationId: string): Promise<unknown> {
  const headers = { Authorization: `Bearer ${client.accessToken}` };
  const response = await fetch(`${server.url}${v3}/thirdparty/${path}`, { headers });
  const body: unknown = await response.json();
  assertMatchesSpec(operationId, response.status, body);
  return { status: response.status, body };
}

function serveProtocols(): void {
  for (const appservice of [libera, oftc]) {
    appservice.verdict = ({ path }) =>
      path === "/_matrix/app/v1/thirdparty/protocol/irc"
        ? { status: 200, body: protocol(appservice.id) }
        : undefined;
  }
}

t.test("getProtocols, getProtocolMetadata: what application services tell of them together", async (t) => {
  serveProtocols();
  const metadata = await alice.get(`${v3}/thirdparty/protocol/irc`, "getProtocolMetadata");
  t.match(metadata.body, {
    user_fields: ["network", "nickname"],
    instances: [
      { network_id: "libera", instance_id: "libera|libera" },
      { network_id: "oftc", instance_id: "oftc|oftc" },
    ],
  });
  t.equal((metadata.body["instances"] as unknown[]).length, 2);
  const all = await alice.get(`${v3}/thirdparty/protocols`, "getProtocols");
  t.strictSame(Object.keys(all.body), ["irc"], "nobody tells of xmpp now");
  const asked = libera.received.filter(({ path }) => path.includes("/thirdparty/"));
  t.equal(asked.length, 1, "remembered for a while");
  const unknown = await alice.get(`${v3}/thirdparty/protocol/telegraph`, "getProtocolMetadata");
  t.match({ status: unknown.status, body: unknown.body }, { status: 404, body: { errcode: "M_NOT_FOUND" } });
});

t.test(
  "queryUserByProtocol, queryLocationByProtocol: by the protocol's fields, from all who know",
  async (t) => {
    const user = (id: string) => ({
      userid: `@_${id}_jim:hearth.test`,
      protocol: "irc",
      fields: { nickname: "jim" },
    });
    const place = { alias: "#_libera_chan:hearth.test", protocol: "irc", fields: { channel: "#chan" } };
    libera.verdict = ({ path, query }) => {
      if (path === "/_matrix/app/v1/thirdparty/user/irc" && query.get("nickname") === "jim")
        return { status: 200, body: [user("libera"), { broken: true }] };
      if (path === "/_matrix/app/v1/thirdparty/location/irc") return { status: 200, body: [place] };
      return undefined;
    };
    oftc.verdict = ({ path }) =>
      path === "/_matrix/app/v1/thirdparty/user/irc"
        ? { status: 200, body: [user("oftc")] }
        : { status: 500 };
    t.strictSame(await lookUp(alice, "user/irc?nickname=jim", "queryUserByProtocol"), {
      status: 200,
      body: [user("libera"), user("oftc")],
    });
    t.strictSame(await lookUp(alice, "location/irc?channel=%23chan", "queryLocationByProtocol"), {
      status: 200,
      body: [place],
    });
    const received = libera.received.findLast(({ path }) => path.endsWith("/location/irc"));
    t.strictSame([...(received?.query ?? [])], [["channel", "#chan"]]);
    t.match(await lookUp(alice, "user/telegraph?a=b", "queryUserByProtocol"), { status: 404 });
    const long = await lookUp(alice, `user/irc?nickname=${"x".repeat(9_000)}`, "queryUserByProtocol");
    t.match(long, { status: 413, body: { errcode: "M_TOO_LARGE" } });
  },
);

t.test("queryUserByID, queryLocationByAlias: the other way round", async (t) => {
  const result = { userid: alice.userId, protocol: "irc", fields: {} };
  const place = { alias: "#a:hearth.test", protocol: "irc", fields: {} };
  libera.verdict = ({ path, query }) => {
    if (path === "/_matrix/app/v1/thirdparty/user" && query.get("userid") === alice.userId)
      return { status: 200, body: [result] };
    return undefined;
  };
  // One of before versions.
  oftc.verdict = ({ path, query }) =>
    path === "/_matrix/app/unstable/thirdparty/location" && query.get("alias") === "#a:hearth.test"
      ? { status: 200, body: [place] }
      : { status: 404, body: "" };
  t.strictSame(await lookUp(alice, `user?userid=${encodeURIComponent(alice.userId)}`, "queryUserByID"), {
    status: 200,
    body: [result],
  });
  t.strictSame(await lookUp(alice, "location?alias=%23a:hearth.test", "queryLocationByAlias"), {
    status: 200,
    body: [place],
  });
  t.match(await lookUp(alice, "location?alias=%23b:hearth.test", "queryLocationByAlias"), { status: 404 });
  t.match(await lookUp(alice, "user", "queryUserByID"), {
    status: 400,
    body: { errcode: "M_MISSING_PARAM" },
  });
});

t.test("updateAppserviceRoomDirectoryVisibility, queryPublicRooms: directories of networks", async (t) => {
  const open = await createRoom(alice, { visibility: "public", name: "Everybody's" });
  const bridged = await createRoom(alice, { name: "Bridged" });
  const listing = (network: string, room: string) =>
    `${v3}/directory/list/appservice/${network}/${encodeURIComponent(room)}`;
  const operationId = "updateAppserviceRoomDirectoryVisibility";
  const bot = libera.as(server);
  const published = await bot.put(listing("libera", bridged), { visibility: "public" }, operationId);
  t.match({ status: published.status, body: published.body }, { status: 200, body: {} });
  const rooms = async (body: object) => {
    const answer = await alice.post(`${v3}/publicRooms`, body, "queryPublicRooms");
    t.equal(answer.status, 200);
    return (answer.body["chunk"] as { room_id: string }[]).map(({ room_id: id }) => id);
  };
  t.strictSame(await rooms({ third_party_instance_id: "libera|libera" }), [bridged]);
  t.strictSame(await rooms({ third_party_instance_id: "oftc|libera" }), [], "of another application service");
  t.strictSame(await rooms({ third_party_instance_id: "nonsense" }), []);
  t.strictSame(await rooms({}), [open]);
  t.strictSame(new Set(await rooms({ include_all_networks: true })), new Set([open, bridged]));
  t.strictSame(await rooms({ include_all_networks: true, filter: { generic_search_term: "bridg" } }), [
    bridged,
  ]);
  await bot.put(listing("libera", bridged), { visibility: "private" }, operationId);
  t.strictSame(await rooms({ third_party_instance_id: "libera|libera" }), []);
  for (const [client, path, body, status, errcode] of [
    [bot, listing("libera", "!unknown:hearth.test"), { visibility: "public" }, 404, "M_NOT_FOUND"],
    [bot, listing("libera", bridged), { visibility: "maybe" }, 400, "M_BAD_JSON"],
    [bot, listing("x".repeat(300), bridged), { visibility: "public" }, 400, "M_INVALID_PARAM"],
    [alice, listing("libera", bridged), { visibility: "public" }, 403, "M_FORBIDDEN"],
  ] as const) {
    const answer = await client.put(path, body, operationId);
    t.match({ status: answer.status, body: answer.body }, { status, body: { errcode } });
  }
});
