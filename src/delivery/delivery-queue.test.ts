import { setImmediate as turn } from "node:timers/promises";
import t from "tap";
import type { Delivery, DeliveryStore } from "../storage/deliveries.ts";
import { createLogTo } from "../telemetry/log.ts";
import { ManualClock } from "../telemetry/testing/manual-clock.ts";
import { DeliveryQueue } from "./delivery-queue.ts";
import { DeliveryError } from "./errors.ts";

const lifetimeMs = 6 * 60 * 60 * 1000;

function setUp() {
  const clock = new ManualClock();
  const rows = new Map<number, { delivery: Delivery; dueTs: number }>();
  const sent: string[] = [];
  const attempts: string[] = [];
  const ids = new Set<string>();
  const lines: string[] = [];
  const fails = new Map<string, DeliveryError>();
  const store = {
    async due(nowTs: number, limit: number) {
      for (const [nid, { delivery }] of rows) if (delivery.expiresTs <= nowTs) rows.delete(nid);
      const due = [...rows.values()].filter(({ dueTs }) => dueTs <= nowTs);
      return due.slice(0, limit).map(({ delivery }) => delivery);
    },
    nextDueTs: async () =>
      rows.size === 0 ? undefined : Math.min(...[...rows.values()].map(({ dueTs }) => dueTs)),
    async postpone(nid: number, dueTs: number) {
      const row = rows.get(nid);
      if (!row) throw new Error("postponed what is not there");
      rows.set(nid, { delivery: { ...row.delivery, attempts: row.delivery.attempts + 1 }, dueTs });
    },
    async remove(nid: number) {
      rows.delete(nid);
    },
  } as Partial<DeliveryStore> as DeliveryStore;
  const transport = {
    async send(address: string, _message: unknown, id: string) {
      attempts.push(address);
      ids.add(id);
      const failure = fails.get(address);
      if (failure) throw failure;
      sent.push(address);
    },
    [Symbol.dispose]: () => undefined,
  };
  const log = createLogTo({ write: (line: string) => void lines.push(line) }, "warn");
  const writer = { write: () => ({ subject: "", text: "", html: "", sms: "" }) };
  const queue = new DeliveryQueue({ store, transports: new Map([["email", transport]]), writer, clock, log });
  const add = (deliveryNid: number, address: string, medium: Delivery["medium"] = "email") => {
    const kind = "confirm-address" as const;
    const expiresTs = clock.nowMs() + lifetimeMs;
    const delivery = {
      deliveryNid,
      address,
      medium,
      kind,
      language: "en",
      values: {},
      attempts: 0,
      expiresTs,
    };
    rows.set(deliveryNid, { delivery, dueTs: clock.nowMs() });
    queue.wake();
  };
  const settle = async () => {
    for (let n = 0; n < 20; n++) await turn();
  };
  return { clock, rows, sent, attempts, ids, lines, fails, queue, add, settle };
}

t.test("messages are sent and forgotten, however many come at once", async (t) => {
  const { add, settle, sent, rows, clock } = setUp();
  for (let nid = 1; nid <= 20; nid++) add(nid, `${nid}@example.org`);
  await settle();
  t.equal(sent.length, 20);
  t.equal(rows.size, 0);
  t.equal(clock.waitingTimers, 0);
});

t.test("a failure is tried again, later and later, under one ID, until the message expires", async (t) => {
  const { add, settle, sent, attempts, fails, rows, clock, ids, lines } = setUp();
  fails.set("a@example.org", new DeliveryError("the mail server is busy", false));
  add(1, "a@example.org");
  add(2, "b@example.org");
  await settle();
  t.strictSame(sent, ["b@example.org"], "others are not held up");
  for (const seconds of [5, 10, 20, 40]) {
    const before = attempts.length;
    clock.advance(seconds * 1_000 - 1);
    await settle();
    t.equal(attempts.length, before);
    clock.advance(1);
    await settle();
    t.equal(attempts.length, before + 1, `after ${seconds} seconds`);
  }
  t.equal(ids.size, 2);
  t.notOk(lines.join("").includes("a@example.org"), "addresses are not in the log");
  for (let hour = 0; hour < 8; hour++) {
    clock.advance(60 * 60_000);
    await settle();
  }
  t.equal(rows.size, 0);
  t.equal(clock.waitingTimers, 0);
});

t.test("what is refused for good is dropped; so is what there is no way for any more", async (t) => {
  const { add, settle, fails, rows, attempts } = setUp();
  fails.set("a@example.org", new DeliveryError("no such user", true));
  add(1, "a@example.org");
  add(2, "491711234567", "msisdn");
  await settle();
  t.strictSame(attempts, ["a@example.org"]);
  t.equal(rows.size, 0);
});

t.test("a fault that nobody foresaw is no reason to drop a message", async (t) => {
  const { add, settle, fails, rows, sent, clock } = setUp();
  fails.set("a@example.org", new Error("surprise") as DeliveryError);
  add(1, "a@example.org");
  await settle();
  t.equal(rows.size, 1);
  fails.clear();
  clock.advance(5_000);
  await settle();
  t.strictSame(sent, ["a@example.org"]);
});

t.test("nothing is sent after the end", async (t) => {
  const { add, queue, settle, sent, rows } = setUp();
  await queue[Symbol.asyncDispose]();
  add(1, "a@example.org");
  await settle();
  t.strictSame(sent, []);
  t.equal(rows.size, 1);
});
