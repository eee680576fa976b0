import t from "tap";
import type { ServerName } from "../../protocol/identifiers.ts";
import type { JsonObject, JsonValue } from "../../protocol/json.ts";
import { systemClock } from "../../telemetry/clock.ts";
import { FederationError, type FederationRequest } from "../federation-client.ts";
import { RemoteKeySource } from "./remote-key-source.ts";

const name = (text: string) => text as ServerName;
const documentOf = (server: string): JsonObject => ({ server_name: server, verify_keys: {} });

/** A client whose notaries know some servers; others are not there. */
function source(known: Readonly<Record<string, readonly string[]>>) {
  const requests: FederationRequest[] = [];
  const client = {
    request: (request: FederationRequest): Promise<JsonValue> => {
      requests.push(request);
      const servers = known[request.destination];
      if (!servers) return Promise.reject(new FederationError("unreachable", "not there"));
      return Promise.resolve({ server_keys: servers.map(documentOf) });
    },
    stream: () => Promise.reject(new Error("nothing is streamed here")),
  };
  return { requests, keys: new RemoteKeySource(client, Object.keys(known).map(name), systemClock) };
}

t.test("what is wanted at the same time is asked of a notary in one request", async (t) => {
  const { keys, requests } = source({ notary: ["a", "b", "c"] });
  const wanted = ["a", "b", "c", "d"].map((server) => keys.fromNotaries(name(server), ["ed25519:1"], 5));
  const told = await Promise.all(wanted);
  t.same(
    told.map(([document]) => document && (document as JsonObject)["server_name"]),
    ["a", "b", "c", undefined],
  );
  t.equal(requests.length, 1);
  t.match(requests[0]?.body, { server_keys: { d: { "ed25519:1": { minimum_valid_until_ts: 5 } } } });
});

t.test("the next notary is asked for what the one before does not know; none for itself", async (t) => {
  const { keys, requests } = source({ first: ["a"], second: ["first", "b"] });
  const [a, b, first] = await Promise.all(
    ["a", "b", "first"].map((server) => keys.fromNotaries(name(server), [], 0)),
  );
  t.same([a?.length, b?.length, first?.length], [1, 1, 1]);
  const asked = requests.map(({ body }) =>
    Object.keys((body as { server_keys: JsonObject }).server_keys).sort(),
  );
  t.same(asked, [
    ["a", "b"],
    ["b", "first"],
  ]);
});

t.test("more servers than are asked at once wait for their turn", async (t) => {
  const { keys, requests } = source({});
  const answers = await Promise.all(
    Array.from({ length: 200 }, (_, index) => keys.fromServer(name(`s${index}`))),
  );
  t.ok(answers.every((answer) => answer === undefined));
  t.equal(requests.length, 200);
});
