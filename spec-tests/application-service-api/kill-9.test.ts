import { setTimeout as delay } from "node:timers/promises";
import t from "tap";
import { appserviceConfig, type ReceivedRequest, TestAppservice } from "../support/appservice.ts";
import { createRoom, say } from "../support/rooms.ts";
import { ServerProcess } from "../support/server-process.ts";

const isTransaction = ({ path }: ReceivedRequest) => path.includes("/transactions/");

t.test("sendTransaction: nothing is lost, and nothing altered, when the server is killed", async (t) => {
  const bridge = await TestAppservice.start();
  t.teardown(() => bridge.close());
  await using server = await ServerProcess.start(await appserviceConfig(t, bridge));
  const bob = await bridge.user(server, "_bridge_bob");
  const room = await createRoom(bob);
  const ids: string[] = [];
  // Takes transactions, and never says so: the server does not know what has become of them.
  const unanswered = Promise.withResolvers<undefined>();
  for (let round = 0; round < 2; round++) {
    const held = bridge.transactions.length;
    bridge.verdict = (request) => (isTransaction(request) ? unanswered.promise : undefined);
    for (let count = 0; count < 5; count++) ids.push(await say(bob, room, `${round} ${count}`));
    while (bridge.transactions.length === held) await delay(10);
    await server.end("SIGKILL");
    bridge.verdict = () => undefined;
    await server.start();
    await bridge.event(ids.at(-1) ?? "");
  }
  unanswered.resolve(undefined);
  const told = bridge.events.map(({ event_id: id }) => id).filter((id) => ids.includes(id));
  t.strictSame(told, ids);
  for (const [path, repeated] of Map.groupBy(bridge.transactions, (transaction) => transaction.path)) {
    t.equal(new Set(repeated.map(({ body }) => JSON.stringify(body))).size, 1, `${path} is always the same`);
  }
});
