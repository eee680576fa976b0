import t from "tap";
import { appserviceConfig, type ReceivedRequest, TestAppservice } from "../support/appservice.ts";
import { registerUser } from "../support/client.ts";
import { createRoom, say } from "../support/rooms.ts";
import { startServer } from "../support/server.ts";

// sendTransaction: "The homeserver MUST maintain a queue of transactions [...] and MUST NOT alter (e.g. add more) events they
// were going to send within that transaction ID on retries."

const isTransaction = ({ path }: ReceivedRequest) => path.includes("/transactions/");

/** Each transaction that came, by its ID: the same ID always stands for the same body. */
function byId({ transactions }: TestAppservice): Map<string, string[]> {
  const bodies = Map.groupBy(transactions, ({ path }) => path.split("/").at(-1) ?? "");
  return new Map([...bodies].map(([id, all]) => [id, all.map(({ body }) => JSON.stringify(body))]));
}

t.test("sendTransaction: what failed is sent again as it was, and nothing overtakes it", async (t) => {
  const bridge = await TestAppservice.start();
  t.teardown(() => bridge.close());
  await using server = await startServer(await appserviceConfig(t, bridge));
  const bob = await bridge.user(server, "_bridge_bob");
  const room = await createRoom(bob);
  let failures = 0;
  bridge.verdict = (request) => {
    if (!isTransaction(request) || failures === 2) return undefined;
    failures += 1;
    return { status: 502 };
  };
  const ids: string[] = [];
  for (let count = 0; count < 5; count++) ids.push(await say(bob, room, `${count}`));
  await bridge.event(ids.at(-1) ?? "");
  const told = bridge.events.map(({ event_id: id }) => id).filter((id) => ids.includes(id));
  t.strictSame(told, ids);
  const repeated = [...byId(bridge).values()];
  t.ok(repeated.some((bodies) => bodies.length > 1));
  for (const bodies of repeated) t.equal(new Set(bodies).size, 1, "not altered");
});

t.test("sendTransaction: so many events at once, all of them in order", async (t) => {
  const bridge = await TestAppservice.start();
  t.teardown(() => bridge.close());
  await using server = await startServer(await appserviceConfig(t, bridge));
  const bob = await bridge.user(server, "_bridge_bob");
  const rooms = [await createRoom(bob), await createRoom(bob)];
  await bridge.close();
  const ids: string[] = [];
  for (let count = 0; count < 250; count++) ids.push(await say(bob, rooms[count % 2] ?? "", `${count}`));
  await bridge.open();
  t.equal((await bob.post(`/_matrix/client/v1/appservice/${bridge.id}/ping`, {})).status, 200);
  await bridge.event(ids.at(-1) ?? "");
  const told = bridge.events.map(({ event_id: id }) => id).filter((id) => ids.includes(id));
  t.strictSame(told, ids);
  const sizes = bridge.transactions.map(({ body }) => (body["events"] as unknown[]).length);
  t.ok(Math.max(...sizes) <= 100, `at most 100 of ${sizes.join(", ")}`);
});

t.test("sendTransaction: no more at once than an application service takes", async (t) => {
  const bridge = await TestAppservice.start();
  t.teardown(() => bridge.close());
  await using server = await startServer(await appserviceConfig(t, bridge));
  const bob = await bridge.user(server, "_bridge_bob");
  const room = await createRoom(bob);
  await bridge.close();
  const ids: string[] = [];
  for (let count = 0; count < 30; count++) ids.push(await say(bob, room, "x".repeat(60_000)));
  await bridge.open();
  await bob.post(`/_matrix/client/v1/appservice/${bridge.id}/ping`, {});
  await bridge.event(ids.at(-1) ?? "");
  const told = bridge.events.map(({ event_id: id }) => id).filter((id) => ids.includes(id));
  t.strictSame(told, ids);
  const sizes = bridge.transactions.map(({ body }) => JSON.stringify(body).length);
  t.ok(Math.max(...sizes) < 1024 * 1024, `less than a mebibyte of ${sizes.join(", ")}`);
});

t.test("ping: ends the wait for the next attempt", async (t) => {
  const bridge = await TestAppservice.start();
  t.teardown(() => bridge.close());
  await using server = await startServer(await appserviceConfig(t, bridge));
  const bob = await bridge.user(server, "_bridge_bob");
  const room = await createRoom(bob);
  await bridge.event(await say(bob, room, "told"));
  let refusals = 0;
  bridge.verdict = (request) => {
    if (!isTransaction(request)) return undefined;
    refusals += 1;
    return { status: 503 };
  };
  const missed = await say(bob, room, "missed");
  // By now the next attempt is some seconds away.
  await bridge.until("three attempts", () => refusals === 3);
  bridge.verdict = () => undefined;
  const pinged = await bob.post(`/_matrix/client/v1/appservice/${bridge.id}/ping`, {}, "pingAppservice");
  t.equal(pinged.status, 200);
  const isPing = ({ path }: ReceivedRequest) => path === "/_matrix/app/v1/ping";
  const pingIndex = bridge.received.findIndex(isPing);
  await bridge.until("the transaction after the ping", () => bridge.received.length > pingIndex + 1);
  t.equal(bridge.received[pingIndex + 1]?.path, bridge.transactions[refusals]?.path);
  t.ok(bridge.events.some(({ event_id: id }) => id === missed));
});

t.test("legacy routes: application services of before versions and of before headers", async (t) => {
  const bridge = await TestAppservice.start();
  t.teardown(() => bridge.close());
  await using server = await startServer(await appserviceConfig(t, bridge));
  const bob = await bridge.user(server, "_bridge_bob");
  const room = await createRoom(bob);
  bridge.verdict = ({ path, query }) => {
    if (query.get("access_token") !== bridge.hsToken)
      return { status: 403, body: { errcode: "M_FORBIDDEN" } };
    if (path.startsWith("/_matrix/app/v1/")) return { status: 404, body: { errcode: "M_UNRECOGNIZED" } };
    return { status: 200 };
  };
  const first = await say(bob, room, "one");
  const isLegacy = ({ path }: ReceivedRequest) => path.startsWith("/transactions/");
  await bridge.until("it on the old path", () =>
    bridge.received.some((request) => isLegacy(request) && JSON.stringify(request.body).includes(first)),
  );
  const before = bridge.received.length;
  const second = await say(bob, room, "two");
  await bridge.until("the second", () => JSON.stringify(bridge.received.at(-1)?.body).includes(second));
  const since = bridge.received.slice(before);
  t.ok(since.every(isLegacy), "what is known of it is remembered");
  t.ok(since.every(({ headers }) => headers.authorization === `Bearer ${bridge.hsToken}`));
});

t.test("sendTransaction: after a restart it goes on where it was", async (t) => {
  const bridge = await TestAppservice.start();
  t.teardown(() => bridge.close());
  await using server = await startServer(await appserviceConfig(t, bridge));
  const alice = await registerUser(server, "alice");
  const bob = await bridge.user(server, "_bridge_bob");
  const room = await createRoom(alice, {}, bob);
  await bridge.event(await say(alice, room, "told"));
  await bridge.close();
  const missed = [await say(alice, room, "one")];
  await server.restart();
  missed.push(await say(alice, room, "two"));
  const left = await bob.post(`/_matrix/client/v3/rooms/${encodeURIComponent(room)}/leave`, {});
  t.equal(left.status, 200);
  const after = await say(alice, room, "none of its business");
  await server.restart();
  await bridge.open();
  const last = await say(bob, await createRoom(bob), "last");
  await bridge.event(last);
  const told = bridge.events.map(({ event_id: id }) => id);
  t.strictSame(
    told.filter((id) => missed.includes(id)),
    missed,
    "what its user could see then, though not any more",
  );
  t.match(bridge.events.filter(({ room_id: id }) => id === room).at(-1), {
    state_key: bob.userId,
    content: { membership: "leave" },
  });
  t.notOk(told.includes(after));
  t.equal(new Set(told).size, told.length);
});
