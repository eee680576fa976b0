import t, { type Test } from "tap";
import { anonymous, login, registerUser, type TestAnswer, type TestClient } from "../support/client.ts";
import { startServer } from "../support/server.ts";

const v3 = "/_matrix/client/v3";
const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());

let transactions = 0;

function send(
  client: TestClient,
  messages: unknown,
  txnId: string | number = (transactions +=
    1),
  type = "m.test",
): Promise<TestAnswer> {
  return client.put(`${v3}/sendToDevice/${encodeURIComponent(type)}/${txnId}`, { messages }, "sendToDevice");
}

interface Synced {
  readonly since: string;
  readonly events: readonly { content: { n: number }; sender: string; type: string }[];
}

async function sync(client: TestClient, since = "", timeoutMs = 0): Promise<Synced> {
  const query = `timeout=${timeoutMs}${since && `&since=${since}`}`;
  const { status, body } = await client.get(`${v3}/sync?${query}`, "sync");
  if (status !== 200) throw new Error(`sync answered ${status} ${JSON.stringify(body)}`);
  const toDevice = body["to_device"] as { events: Synced["events"] } | undefined;
  return { since: String(body["next_batch"]), events: toDevice?.events ?? [] };
}

function numbers({ events }: Synced): number[] {
  return events.map(({ content }) => content.n);
}

function refused(t: Test, answer: TestAnswer, errcode: string, status = 400): void {
  t.equal(answer.status, status, JSON.stringify(answer.body));
  t.equal(answer.body["errcode"], errcode, JSON.stringify(answer.body));
}

t.test(
  "sendToDevice, sync: a device gets its messages in order, until it has told that it got them",
  async (t) => {
    const alice = await registerUser(server);
    const bob = await registerUser(server);
    const start = await sync(bob);
    t.strictSame(start.events, []);
    for (const n of [1, 2, 3]) {
      const answer = await send(alice, { [bob.userId]: { [bob.deviceId]: { n, text: "é\u2028" } } });
      t.strictSame(answer.body, {});
    }
    const first = await sync(bob, start.since);
    t.strictSame(
      first.events,
      [1, 2, 3].map((n) => ({
        content: { n, text: "é\u2028" },
        sender: alice.userId,
        type: "m.test",
      })),
    );
    t.strictSame(numbers(await sync(bob, start.since)), [1, 2, 3], "the answer may have been lost");
    const second = await sync(bob, first.since);
    t.strictSame(numbers(second), []);
    t.strictSame(numbers(await sync(bob)), [], "they are stored no more");
  },
);

t.test("sendToDevice: one device, all devices, and devices that do not exist", async (t) => {
  const alice = await registerUser(server);
  const bob = await registerUser(server);
  const tablet = await login(server, bob);
  await send(alice, { [bob.userId]: { [bob.deviceId]: { n: 1 } } });
  await send(alice, { [bob.userId]: { "*": { n: 2 } }, [alice.userId]: { "*": { n: 2 } } });
  const unknown = await send(alice, {
    [bob.userId]: { UNKNOWN: { n: 3 } },
    "@nobody:hearth.test": { "*": { n: 3 } },
  });
  t.equal(unknown.status, 200);
  t.strictSame(numbers(await sync(bob)), [1, 2]);
  t.strictSame(numbers(await sync(tablet)), [2]);
  t.strictSame(numbers(await sync(alice)), [2]);
});

t.test("sendToDevice: a repeated request sends nothing", async (t) => {
  const alice = await registerUser(server);
  const laptop = await login(server, alice);
  const bob = await registerUser(server);
  const to = (n: number) => ({ [bob.userId]: { [bob.deviceId]: { n } } });
  await send(alice, to(1), "same");
  t.equal((await send(alice, to(1), "same")).status, 200);
  await send(alice, to(2), "same", "m.other");
  await send(laptop, to(3), "same");
  await send(alice, to(4), "other");
  t.strictSame(numbers(await sync(bob)), [1, 2, 3, 4]);
});

t.test("sendToDevice, sync: a hundred messages at once, the rest with the next answers", async (t) => {
  const alice = await registerUser(server);
  const bob = await registerUser(server);
  let { since } = await sync(bob);
  for (let first = 1; first <= 250; first += 10) {
    const ten = Array.from({ length: 10 }, (_, index) => first + index);
    for (const n of ten) await send(alice, { [bob.userId]: { [bob.deviceId]: { n } } });
  }
  const got: number[] = [];
  for (const expected of [100, 100, 50, 0]) {
    const next = await sync(bob, since);
    t.equal(next.events.length, expected);
    got.push(...numbers(next));
    ({ since } = next);
  }
  t.strictSame(
    got,
    Array.from({ length: 250 }, (_, index) => index + 1),
  );
});

t.test("sendToDevice, sync: a waiting device wakes", async (t) => {
  const alice = await registerUser(server);
  const bob = await registerUser(server);
  const { since } = await sync(bob);
  const waiting = sync(bob, since, 20_000);
  await send(alice, { [bob.userId]: { [bob.deviceId]: { n: 1 } } });
  t.strictSame(numbers(await waiting), [1]);
});

t.test("sendToDevice, logout: messages go with their device and survive a restart", async (t) => {
  await using own = await startServer();
  const alice = await registerUser(own);
  const bob = await registerUser(own);
  const lost = await login(own, bob, { deviceId: "AGAIN" });
  await send(alice, { [bob.userId]: { "*": { n: 1 } } });
  await lost.post(`${v3}/logout`, {});
  t.strictSame(numbers(await sync(await login(own, bob, { deviceId: "AGAIN" }))), []);
  await own.restart();
  t.strictSame(numbers(await sync(bob)), [1]);
});

t.test("sendToDevice: what is wrong with a request", async (t) => {
  const alice = await registerUser(server);
  const to = (content: unknown) => ({ [alice.userId]: { [alice.deviceId]: content } });
  refused(t, await send(alice, to("text")), "M_BAD_JSON");
  refused(t, await send(alice, { [alice.userId]: [] }), "M_BAD_JSON");
  refused(t, await send(alice, undefined), "M_BAD_JSON");
  refused(t, await send(alice, { nonsense: { A: { n: 1 } } }), "M_INVALID_PARAM");
  refused(t, await send(alice, to({ n: 1 }), "t".repeat(256)), "M_INVALID_PARAM");
  refused(t, await send(alice, to({ n: 1 }), "t", "m".repeat(256)), "M_INVALID_PARAM");
  refused(t, await send(alice, to({ text: "x".repeat(65_536) })), "M_TOO_LARGE", 413);
  const many = Object.fromEntries(Array.from({ length: 2001 }, (_, index) => [`D${index}`, { n: 1 }]));
  refused(t, await send(alice, { [alice.userId]: many }), "M_TOO_LARGE", 413);
  refused(t, await send(anonymous(server), to({ n: 1 })), "M_MISSING_TOKEN", 401);
  const { events } = await sync(alice);
  t.strictSame(events, [], "nothing of it was sent");
});
