import t from "tap";
import { SigningKey } from "../../protocol/ed25519.ts";
import type { ServerName } from "../../protocol/identifiers.ts";
import type { JsonObject, JsonValue } from "../../protocol/json.ts";
import type { ServerKeyRow } from "../../storage/server-keys.ts";
import { ManualClock } from "../../telemetry/testing/manual-clock.ts";
import { ownKeyDocument } from "./key-document.ts";
import { Keyring } from "./keyring.ts";

const key = new SigningKey("ed25519:1", Buffer.alloc(32, 9));
const a = "a.test" as ServerName;
const weekMs = 7 * 24 * 60 * 60 * 1000;

type FromServer = (serverName: ServerName) => Promise<JsonValue | undefined>;
type FromNotaries = (serverName: ServerName) => Promise<JsonValue[]>;

/** A keyring with its own store and clock, and with sources that answer as they are told. */
function scene(fromServer: FromServer, fromNotaries: FromNotaries = async () => []) {
  const clock = new ManualClock();
  const asked: string[] = [];
  const rows: ServerKeyRow[] = [];
  const keyring = new Keyring({
    ownName: "own.test" as ServerName,
    ownKey: key,
    store: {
      keysOf: async (serverName) => rows.filter((row) => row.serverName === serverName),
      remember: async (more) => void rows.push(...more),
    },
    source: {
      fromServer(serverName) {
        asked.push(serverName);
        return fromServer(serverName);
      },
      fromNotaries(serverName) {
        asked.push(`notary ${serverName}`);
        return fromNotaries(serverName);
      },
    },
    clock,
  });
  const keysOf = async (serverName = a, atTs?: number) =>
    (await keyring.keysOf(serverName, [key.keyId], atTs)).map(({ keyId }) => keyId);
  return { clock, asked, keysOf, documentOf: (name: ServerName) => documentOf(name, clock.nowMs() + weekMs) };
}

const documentOf = (name: ServerName, validUntilTs: number): JsonObject =>
  ownKeyDocument(name, key, [], validUntilTs);

/** Lets everything run that waits for nothing but its turn. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

t.test("those who need a server's keys at the same time share one question", async (t) => {
  const answer = Promise.withResolvers<JsonValue>();
  const { keysOf, asked, documentOf: made } = scene(() => answer.promise);
  const waiting = Array.from({ length: 50 }, () => keysOf());
  await settle();
  t.same(asked, [a]);
  answer.resolve(made(a));
  t.same(
    await Promise.all(waiting),
    Array.from({ length: 50 }, () => [key.keyId]),
  );
  t.same(await keysOf(), [key.keyId]);
  t.same(asked, [a], "they are remembered");
});

t.test(
  "a server that does not answer is waited for a second before notaries are asked as well",
  async (t) => {
    const never = new Promise<undefined>(() => undefined);
    const notary = Promise.withResolvers<JsonValue[]>();
    const {
      keysOf,
      asked,
      clock,
      documentOf: made,
    } = scene(
      () => never,
      () => notary.promise,
    );
    const found = keysOf();
    await settle();
    clock.advance(999);
    await settle();
    t.same(asked, [a]);
    clock.advance(1);
    await settle();
    t.same(asked, [a, `notary ${a}`]);
    notary.resolve([made(a)]);
    t.same(await found, [key.keyId], "whoever is first has answered");
  },
);

t.test("one server that is gone delays no other", async (t) => {
  const never = new Promise<undefined>(() => undefined);
  const { keysOf, documentOf: made } = scene((name) => (name === a ? never : Promise.resolve(made(name))));
  let isAnswered = false;
  void keysOf().then(() => (isAnswered = true));
  t.same(await keysOf("b.test" as ServerName), [key.keyId]);
  t.notOk(isAnswered);
});

t.test("a server that gives no usable answer is left alone for a minute", async (t) => {
  let answers: JsonValue | undefined;
  const { keysOf, asked, clock, documentOf: made } = scene(async () => answers);
  t.same(await keysOf(), []);
  t.same(asked, [a, `notary ${a}`]);
  answers = made(a);
  clock.advance(59_999);
  t.same(await keysOf(), []);
  t.equal(asked.length, 2);
  clock.advance(1);
  t.same(await keysOf(), [key.keyId]);
  t.equal(asked.length, 3);
});

t.test("keys that have ended are asked for anew, by each who needs later ones", async (t) => {
  const { keysOf, asked, clock, documentOf: made } = scene(async () => made(a));
  t.same(await keysOf(a, clock.nowMs()), [key.keyId]);
  t.same(await keysOf(a, clock.nowMs() + weekMs), [key.keyId]);
  t.equal(asked.length, 1);
  clock.advance(1);
  t.same(await keysOf(a, clock.nowMs() + weekMs), [key.keyId]);
  t.equal(asked.length, 2);
});

t.test("what is remembered of failures has a bound: the oldest is forgotten", async (t) => {
  const { keysOf, asked } = scene(async () => undefined);
  const nameOf = (index: number) => `s${index}.test` as ServerName;
  for (let index = 0; index <= 10_000; index++) await keysOf(nameOf(index));
  const before = asked.length;
  await keysOf(nameOf(10_000));
  t.equal(asked.length, before, "it has failed a moment ago");
  await keysOf(nameOf(0));
  t.equal(asked.length, before + 2);
});

t.test("this server's own key is never asked for", async (t) => {
  const { keysOf, asked } = scene(async () => undefined);
  t.same(await keysOf("own.test" as ServerName), [key.keyId]);
  t.same(asked, []);
});
