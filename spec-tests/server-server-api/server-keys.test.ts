import t from "tap";
import { anonymous } from "../support/client.ts";
import { startFederatedServers } from "../support/federated-servers.ts";

t.test(
  "getServerKey, getVersion, getWellKnown, perspectivesKeyQuery, bulkPerspectivesKeyQuery: servers tell their keys",
  async (t) => {
    await using servers = await startFederatedServers(2);
    const [one, two] = servers;
    if (!one || !two) throw new Error("two servers are needed");
    const own = await anonymous(one).get("/_matrix/key/v2/server");
    t.equal(own.status, 200);
    t.equal(own.body["server_name"], one.name);
    const version = await anonymous(one).get("/_matrix/federation/v1/version");
    t.match(version.body, { server: { name: "Hearth" } });
    const query = `/_matrix/key/v2/query/${encodeURIComponent(two.name)}`;
    const told = await anonymous(one).get(query);
    t.equal(told.status, 200);
    const [document] = told.body["server_keys"] as Record<string, Record<string, unknown>>[];
    t.equal(document?.["server_name"], two.name);
    t.same(Object.keys(document?.["signatures"] ?? {}).sort(), [one.name, two.name].sort());
    const bulk = await anonymous(one).post("/_matrix/key/v2/query", {
      server_keys: { [two.name]: {}, "127.0.0.1:1": {} },
    });
    t.equal((bulk.body["server_keys"] as unknown[]).length, 1);
    t.equal((await anonymous(one).get("/.well-known/matrix/server")).status, 404);
  },
);
