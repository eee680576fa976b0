import t from "tap";
import { login, type TestClient } from "../support/client.ts";
import { federatedRoom, syncUntil } from "../support/federated-room.ts";
import type { Json, SyncAnswer } from "../support/rooms.ts";
import { until } from "../support/within.ts";

const { alice, bob, one, two, peer } = await federatedRoom(t);

let transactions = 0;

async function send(
  from: TestClient,
  messages: Json,
  txnId: string | number = ++transactions,
  type = "m.room_key_request",
): Promise<void> {
  const path = `/_matrix/client/v3/sendToDevice/${type}/${txnId}`;
  const { status, body } = await from.put(path, { messages }, "sendToDevice");
  if (status !== 200) throw new Error(`sending was answered ${status}: ${JSON.stringify(body)}`);
}

const messagesOf = ({ body }: SyncAnswer) =>
  ((body["to_device"] as { events?: Json[] } | undefined)?.events ?? []) as {
    content: { n: number };
    sender: string;
    type: string;
  }[];

/** What a device gets until a message with this number has come, and is not told of again. */
async function receivedUntil(client: TestClient, last: number): Promise<ReturnType<typeof messagesOf>> {
  const all: ReturnType<typeof messagesOf> = [];
  await syncUntil(client, (answer) => {
    all.push(...messagesOf(answer));
    return all.some(({ content }) => content.n === last);
  });
  return all;
}

const edu = (content: Json) => ({ edu_type: "m.direct_to_device", content });
const message = (changes: Json = {}) => ({
  sender: peer.userId,
  type: "m.test",
  message_id: `id-${++transactions}`,
  messages: { [alice.userId]: { [alice.deviceId]: { n: 1 } } },
  ...changes,
});
const toAlice = (n: number) => ({ [alice.userId]: { [alice.deviceId]: { n } } });

t.test("sendToDevice: to a device on another server, to all, in order and once", async (t) => {
  const tablet = await login(two, "bob");
  await send(alice, { [bob.userId]: { [bob.deviceId]: { n: 1 } } });
  await send(alice, { [bob.userId]: { "*": { n: 2 } } }, "again");
  await send(alice, { [bob.userId]: { "*": { n: 2 } } }, "again");
  for (let n = 3; n <= 20; n++) await send(alice, { [bob.userId]: { [bob.deviceId]: { n } } });
  await send(alice, { [bob.userId]: { [tablet.deviceId]: { n: 21 }, nothing: { n: 22 } } });
  const onPhone = await receivedUntil(bob, 20);
  t.strictSame(
    onPhone.map(({ content }) => content.n),
    Array.from({ length: 20 }, (_, index) => index + 1),
  );
  t.match(onPhone[0], { sender: alice.userId, type: "m.room_key_request" });
  const onTablet = await receivedUntil(tablet, 21);
  t.strictSame(
    onTablet.map(({ content }) => content.n),
    [2, 21],
  );
});

t.test("sendToDevice: as a peer gets it; a large request goes in several EDUs", async (t) => {
  await send(alice, { [peer.userId]: { A: { n: 1 }, "*": { n: 2 } } });
  await until(20_000, "the message", () => peer.edus("m.direct_to_device").length === 1);
  const [first] = peer.edus("m.direct_to_device");
  t.match(first, {
    sender: alice.userId,
    type: "m.room_key_request",
    messages: { [peer.userId]: { A: { n: 1 }, "*": { n: 2 } } },
  });
  t.ok(String(first?.["message_id"]).length <= 32);
  const large = Object.fromEntries(
    Array.from({ length: 10 }, (_, index) => [`D${index}`, { text: "x".repeat(30_000) }]),
  );
  await send(alice, { [peer.userId]: large });
  const isThere = () =>
    peer
      .edus("m.direct_to_device")
      .slice(1)
      .flatMap(({ messages }) => Object.keys((messages as Record<string, Json>)[peer.userId] ?? {}));
  await until(20_000, "all messages", () => isThere().length === 10);
  t.strictSame(isThere(), Object.keys(large));
  const edus = peer.edus("m.direct_to_device").slice(1);
  t.ok(edus.length >= 5);
  t.equal(new Set(edus.map((each) => each["message_id"])).size, edus.length);
});

t.test("sendToDevice: what a peer refuses with a failure is sent again, in order", async (t) => {
  const before = peer.edus("m.direct_to_device").length;
  let refused = 0;
  peer.answers.set("/_matrix/federation/v1/send/", () => {
    refused += 1;
    return { status: 503, body: {} };
  });
  await send(alice, { [peer.userId]: { A: { n: 1 } } });
  await until(20_000, "the first to be refused", () => refused > 0);
  await send(alice, { [peer.userId]: { A: { n: 2 } } });
  peer.answers.delete("/_matrix/federation/v1/send/");
  // A server that is heard of can be reached.
  await peer.sendEdus(one);
  await until(20_000, "both", () => peer.edus("m.direct_to_device").length >= before + 2);
  const numbers = peer
    .edus("m.direct_to_device")
    .slice(before)
    .map(({ messages }) => (messages as Record<string, Record<string, Json>>)[peer.userId]?.["A"]?.["n"]);
  t.strictSame(numbers, [1, 2]);
});

t.test("sendTransaction: a message of a peer is delivered once, over a restart as well", async (t) => {
  const once = message({ messages: toAlice(100) });
  await peer.sendEdus(one, edu(once), edu(once));
  await peer.sendEdus(one, edu(once));
  await one.restart();
  await peer.sendEdus(one, edu(once), edu(message({ messages: toAlice(101) })));
  const received = await receivedUntil(alice, 101);
  t.strictSame(
    received.map(({ content }) => content.n),
    [100, 101],
  );
  t.match(received[0], { sender: peer.userId, type: "m.test" });
});

t.test("sendTransaction: lies and nonsense in messages reach nobody", async (t) => {
  const deviceIds = Array.from({ length: 1_000 }, (_, index) => [`D${index}`, { n: 1 }]);
  const wrong = [
    message({ sender: bob.userId }),
    message({ sender: "nonsense" }),
    message({ sender: undefined }),
    message({ type: 5 }),
    message({ type: "m".repeat(256) }),
    message({ message_id: undefined }),
    message({ message_id: "i".repeat(256) }),
    message({ messages: [] }),
    message({ messages: { [alice.userId]: [] } }),
    message({ messages: { [alice.userId]: { [alice.deviceId]: "text" } } }),
    message({ messages: { [alice.userId]: { [alice.deviceId]: { text: "x".repeat(66_000) } } } }),
    message({ messages: { [bob.userId]: { "*": { n: 1 } } } }),
    message({ messages: { nonsense: { "*": { n: 1 } }, [`@nobody:${one.name}`]: { "*": { n: 1 } } } }),
    message({ messages: { [alice.userId]: Object.fromEntries(deviceIds) } }),
    {},
  ];
  await peer.sendEdus(one, ...wrong.map(edu), { edu_type: "m.direct_to_device", content: [] });
  await peer.sendEdus(one, edu(message({ messages: toAlice(200) })));
  const received = await receivedUntil(alice, 200);
  t.strictSame(
    received.map(({ content }) => content.n).filter((n) => n < 100 || n === 200),
    [200],
  );
});
