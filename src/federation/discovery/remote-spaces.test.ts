import t from "tap";
import type { JsonValue } from "../../protocol/json.ts";
import { ManualClock } from "../../telemetry/testing/manual-clock.ts";
import { FederationError, type FederationRequest } from "../federation-client.ts";
import { HeardServers } from "../heard-servers.ts";
import { FederatedSpaces, type FederatedSpacesParts } from "./remote-spaces.ts";

t.test("a server that is asked at the last moment is not taken for one that does not answer", async (t) => {
  const clock = new ManualClock();
  const asked: string[] = [];
  const client = {
    request: ({ destination, timeoutMs = 0 }: FederationRequest): Promise<JsonValue> => {
      asked.push(destination);
      clock.advance(destination === "slow.test" ? timeoutMs - 50 : timeoutMs);
      return Promise.reject(new FederationError("unreachable", "there is no answer in time"));
    },
  };
  const parts = {
    client,
    others: (servers: readonly string[]) => servers,
    clock,
    heard: new HeardServers(),
  };
  const spaces = new FederatedSpaces(parts as unknown as FederatedSpacesParts);
  t.equal(await spaces.find("!one:a.test", ["slow.test", "busy.test"], false, 5_000), undefined);
  const before = asked.length;
  await spaces.find("!two:a.test", ["busy.test"], false, 5_000);
  t.same(asked.slice(before), ["busy.test"]);
  await spaces.find("!three:a.test", ["busy.test"], false, 5_000);
  t.equal(asked.length, before + 1, "it rests once it has had time to answer");
});
