import t from "tap";
import type { UserId } from "../../protocol/identifiers.ts";
import { ManualClock } from "../../telemetry/testing/manual-clock.ts";
import { FederationError } from "../federation-client.ts";
import { HeardServers } from "../heard-servers.ts";
import { KeyRequests } from "../requests/key-requests.ts";
import { RemoteKeyQueries, type RemoteKeyQueriesParts } from "./remote-key-queries.ts";

t.test("who does not wait for a server does not keep others from asking it", async (t) => {
  let asked = 0;
  const client = {
    request: () => {
      asked += 1;
      return Promise.reject(new FederationError("unreachable", "nobody has answered in time"));
    },
  };
  const parts = {
    requests: new KeyRequests(client as unknown as ConstructorParameters<typeof KeyRequests>[0]),
    store: { states: () => Promise.resolve([]) },
    publicKeys: { readOutdated: () => Promise.resolve(new Map()) },
    names: { findUser: () => Promise.resolve(undefined) },
    policy: { allows: () => true },
    resyncs: { follow: () => Promise.resolve() },
    clock: new ManualClock(),
    heard: new HeardServers(),
  };
  const queries = new RemoteKeyQueries(parts as unknown as RemoteKeyQueriesParts);
  const wanted = [["@user:b.test" as UserId, []]] as const;
  for (let time = 1; time <= 3; time++) {
    const { failures } = await queries.query(wanted, 1);
    t.ok("b.test" in failures);
    t.equal(asked, time);
  }
  await queries.query(wanted, 10_000);
  t.equal(asked, 4);
  await queries.query(wanted, 10_000);
  t.equal(asked, 4, "nobody waits once more for a server that somebody has waited for");
});
