import type { Test } from "tap";
import type { Database } from "../database.ts";
import type { InboxBound, ToDeviceTransaction } from "../to-device.ts";
import { userWithDevices } from "./device-sessions.ts";

const transaction: ToDeviceTransaction = {
  userNid: 99,
  deviceId: "S",
  eventType: "m.test",
  transactionId: "t1",
  createdTs: 1000,
  forgetBeforeTs: 0,
};

const latest = Number.MAX_SAFE_INTEGER;

export function atMost(maxMessages: number): InboxBound {
  return { maxMessages, maxBytes: 1_000_000 };
}

/** What every back end's store of messages to devices does. */
export function toDeviceStoreContract(t: Test, open: () => Promise<Database>): void {
  t.test("to-device: messages wait in order until they are deleted", async (t) => {
    await using database = await open();
    const { toDevice } = database.stores;
    const alice = await userWithDevices(database.stores, "alice", ["A", "B"]);
    for (const event of ["1", "2", "3"]) {
      const sent = await toDevice.send([{ userNid: alice, deviceId: "A", event }], atMost(10), null);
      t.strictSame(sent, { delivered: 1, full: [], fullServers: [] });
    }
    const waiting = await toDevice.messagesFor(alice, "A", 0, latest, 10);
    t.strictSame(
      waiting.map(({ event }) => event),
      ["1", "2", "3"],
    );
    const [first, second, third] = waiting.map(({ position }) => position);
    if (first === undefined || second === undefined || third === undefined)
      throw new Error("three were sent");
    t.ok(first < second && second < third);
    t.equal((await toDevice.messagesFor(alice, "A", 0, latest, 2)).length, 2);
    t.strictSame(await toDevice.messagesFor(alice, "A", first, second, 10), waiting.slice(1, 2));
    t.strictSame(await toDevice.messagesFor(alice, "B", 0, latest, 10), []);
    t.ok(await toDevice.hasUpTo(alice, "A", second));
    await toDevice.deleteUpTo(alice, "A", second);
    t.notOk(await toDevice.hasUpTo(alice, "A", second));
    t.strictSame(await toDevice.messagesFor(alice, "A", 0, latest, 10), waiting.slice(2));
  });

  t.test("to-device: * reaches every device, an unknown device none", async (t) => {
    await using database = await open();
    const { toDevice } = database.stores;
    const alice = await userWithDevices(database.stores, "alice", ["A", "B"]);
    const messages = [
      { userNid: alice, deviceId: "*", event: "all" },
      { userNid: alice, deviceId: "C", event: "none" },
    ];
    t.strictSame(await toDevice.send(messages, atMost(10), null), {
      delivered: 2,
      full: [],
      fullServers: [],
    });
    for (const deviceId of ["A", "B"]) {
      const waiting = await toDevice.messagesFor(alice, deviceId, 0, latest, 10);
      t.strictSame(
        waiting.map(({ event }) => event),
        ["all"],
      );
    }
    t.strictSame(await toDevice.messagesFor(alice, "C", 0, latest, 10), []);
  });

  t.test("to-device: a repeated transaction sends nothing until it is forgotten", async (t) => {
    await using database = await open();
    const { toDevice } = database.stores;
    const alice = await userWithDevices(database.stores, "alice", ["A"]);
    const messages = [{ userNid: alice, deviceId: "A", event: "x" }];
    const count = async () => (await toDevice.messagesFor(alice, "A", 0, latest, 100)).length;
    await toDevice.send(messages, atMost(10), transaction);
    await toDevice.send(messages, atMost(10), transaction);
    t.equal(await count(), 1);
    await toDevice.send(messages, atMost(10), { ...transaction, eventType: "m.other" });
    await toDevice.send(messages, atMost(10), { ...transaction, deviceId: "other" });
    await toDevice.send(messages, atMost(10), { ...transaction, transactionId: "t2" });
    t.equal(await count(), 4);
    await toDevice.send(messages, atMost(10), { ...transaction, createdTs: 3000, forgetBeforeTs: 2000 });
    t.equal(await count(), 5);
  });

  t.test("to-device: a full inbox refuses, and keeps what it has", async (t) => {
    await using database = await open();
    const { toDevice } = database.stores;
    const alice = await userWithDevices(database.stores, "alice", ["A", "B"]);
    const send = (deviceId: string, event: string) =>
      toDevice.send([{ userNid: alice, deviceId, event }], atMost(2), null);
    await send("A", "1");
    await send("A", "2");
    const full = [{ userNid: alice, deviceId: "A" }];
    t.strictSame(await send("*", "3"), { delivered: 1, full, fullServers: [] });
    const waiting = await toDevice.messagesFor(alice, "A", 0, latest, 10);
    t.strictSame(
      waiting.map(({ event }) => event),
      ["1", "2"],
    );
    t.equal((await toDevice.messagesFor(alice, "B", 0, latest, 10)).length, 1);
    await toDevice.deleteUpTo(alice, "A", waiting[0]?.position ?? 0);
    t.strictSame(await send("A", "4"), { delivered: 1, full: [], fullServers: [] });
    t.strictSame(await send("A", "5"), { delivered: 0, full, fullServers: [] });
  });

  t.test("to-device: an inbox takes so many bytes, and refuses what it has no room for", async (t) => {
    await using database = await open();
    const { toDevice } = database.stores;
    const alice = await userWithDevices(database.stores, "alice", ["A", "B"]);
    const bound = { maxMessages: 10, maxBytes: 10 };
    const send = (deviceId: string, event: string) =>
      toDevice.send([{ userNid: alice, deviceId, event }], bound, null);
    const received = { origin: "one.test", messageId: "m1", receivedTs: 2000, forgetBeforeTs: 1000 };
    const receive = (event: string) =>
      toDevice.receive(received, [{ userNid: alice, deviceId: "A", event }], bound);
    const full = [{ userNid: alice, deviceId: "A" }];
    t.strictSame((await send("A", "eleven byte")).full, full, "larger than all of it");
    await send("A", "four");
    await send("A", "ää");
    t.strictSame(await send("*", "ten"), { delivered: 1, full, fullServers: [] }, "bytes are counted");
    t.strictSame((await receive("six by")).full, full);
    t.equal((await send("A", "2")).delivered, 1, "a smaller one fits");
    const waiting = await toDevice.messagesFor(alice, "A", 0, latest, 10);
    t.strictSame(
      waiting.map(({ event }) => event),
      ["four", "ää", "2"],
    );
    await toDevice.deleteUpTo(alice, "A", waiting[1]?.position ?? 0);
    t.equal((await receive("nine byte")).delivered, 1, "what is fetched makes room for as much");
    t.strictSame((await send("A", "1")).full, full);
  });

  t.test("to-device: a transaction that delivered nothing can be repeated", async (t) => {
    await using database = await open();
    const { toDevice } = database.stores;
    const alice = await userWithDevices(database.stores, "alice", ["A"]);
    const send = () => toDevice.send([{ userNid: alice, deviceId: "A", event: "x" }], atMost(1), transaction);
    await toDevice.send([{ userNid: alice, deviceId: "A", event: "x" }], atMost(1), null);
    t.equal((await send()).full.length, 1);
    t.equal((await send()).full.length, 1);
    await toDevice.deleteUpTo(alice, "A", latest);
    t.equal((await send()).delivered, 1);
    t.strictSame(await send(), { delivered: 0, full: [], fullServers: [] });
  });

  t.test("to-device: messages go with their device", async (t) => {
    await using database = await open();
    const { toDevice, devices } = database.stores;
    const alice = await userWithDevices(database.stores, "alice", ["A"]);
    const messages = [{ userNid: alice, deviceId: "A", event: "x" }];
    await toDevice.send(messages, atMost(1), { ...transaction, userNid: alice, deviceId: "A" });
    await devices.remove(alice, ["A"]);
    await userWithDevices(database.stores, "alice", ["A"]);
    t.strictSame(await toDevice.messagesFor(alice, "A", 0, latest, 10), []);
    await toDevice.send(messages, atMost(1), { ...transaction, userNid: alice, deviceId: "A" });
    t.equal((await toDevice.messagesFor(alice, "A", 0, latest, 10)).length, 1, "count and transaction too");
  });

  t.test("to-device: what another server sends is delivered once", async (t) => {
    await using database = await open();
    const { toDevice } = database.stores;
    const alice = await userWithDevices(database.stores, "alice", ["A"]);
    const receive = (origin: string, messageId: string, deviceId = "A") => {
      const received = { origin, messageId, receivedTs: 2000, forgetBeforeTs: 1000 };
      return toDevice.receive(received, [{ userNid: alice, deviceId, event: messageId }], atMost(3));
    };
    t.equal((await receive("one.test", "m1")).delivered, 1);
    t.equal((await receive("one.test", "m1")).delivered, 0);
    t.equal((await receive("two.test", "m1")).delivered, 1);
    t.equal((await receive("one.test", "m2", "nothing")).delivered, 0);
    t.equal((await receive("one.test", "m2")).delivered, 1, "it has reached nobody before");
    t.match(await receive("one.test", "m3"), { delivered: 0, full: [{ deviceId: "A" }] });
    const waiting = await toDevice.messagesFor(alice, "A", 0, latest, 10);
    t.strictSame(
      waiting.map(({ event }) => event),
      ["m1", "m1", "m2"],
    );
  });

  t.test("to-device: messages wait for other servers, with those that stay here", async (t) => {
    await using database = await open();
    const { toDevice, destinations } = database.stores;
    const alice = await userWithDevices(database.stores, "alice", ["A"]);
    const local = [{ userNid: alice, deviceId: "A", event: "x" }];
    const remote = ["1", "2"].map((content) => ({ serverName: "one.test", content }));
    t.equal((await toDevice.send(local, atMost(10), transaction, remote)).delivered, 3);
    t.equal((await toDevice.send(local, atMost(10), transaction, remote)).delivered, 0);
    const waiting = await destinations.toDevice("one.test", 10);
    t.strictSame(
      waiting.map(({ content }) => content),
      ["1", "2"],
    );
    t.strictSame(await destinations.withToDevice(), ["one.test"]);
    await destinations.removeToDevice(waiting.map(({ messageNid }) => messageNid));
    t.strictSame(await destinations.withToDevice(), []);
  });
}
