import type { Test } from "tap";
import type { Database } from "../database.ts";
import { createdNid, newAccount } from "./accounts.ts";
import { userWithDevices } from "./device-sessions.ts";
import { atMost } from "./to-device.ts";
import { commitEvents, roomNid } from "./room-fixture.ts";

const latest = Number.MAX_SAFE_INTEGER;

/** What every back end's store of application services does. */
export function appserviceStoreContract(t: Test, open: () => Promise<Database>): void {
  t.test(
    "application services: who is new begins where the stream is, who is gone leaves nothing",
    async (t) => {
      await using database = await open();
      const { appservices } = database.stores;
      const fresh = { lastTransaction: 0, failingSinceTs: null, lastError: null, waiting: null };
      t.strictSame(await appservices.begin(["a", "b"], 7), [
        { appserviceId: "a", upTo: 7, ...fresh },
        { appserviceId: "b", upTo: 7, ...fresh },
      ]);
      const next = { transactionId: 3, body: "{}", takenMessages: [] };
      await appservices.step("b", { upTo: 9, acknowledged: null, next });
      t.strictSame(await appservices.begin(["a"], 20), [{ appserviceId: "a", upTo: 7, ...fresh }]);
      t.strictSame(await appservices.begin(["a", "b"], 30), [
        { appserviceId: "a", upTo: 7, ...fresh },
        { appserviceId: "b", upTo: 30, ...fresh },
      ]);
    },
  );

  t.test("application services: a transaction waits until it is acknowledged", async (t) => {
    await using database = await open();
    const { appservices } = database.stores;
    await appservices.begin(["a"], 0);
    const stored = async () => (await appservices.begin(["a"], 0))[0];
    const first = { transactionId: 11, body: '{"events":[]}', takenMessages: [] };
    await appservices.step("a", { upTo: 5, acknowledged: null, next: first });
    t.match(await stored(), { upTo: 5, lastTransaction: 11, waiting: first });
    await appservices.failed("a", "no answer", 1_000);
    await appservices.failed("a", "still none", 2_000);
    t.match(await stored(), { failingSinceTs: 1_000, lastError: "still none" });
    t.strictSame(await appservices.standing(), [
      { appserviceId: "a", upTo: 5, lastTransaction: 11, failingSinceTs: 1_000, lastError: "still none" },
    ]);
    await appservices.step("a", { upTo: 4, acknowledged: 10, next: null });
    t.match(
      await stored(),
      { upTo: 5, waiting: first },
      "another one was acknowledged, and nothing goes back",
    );
    const second = { ...first, transactionId: 12 };
    await appservices.step("a", { upTo: 6, acknowledged: 11, next: second });
    t.match(await stored(), { upTo: 6, lastTransaction: 12, waiting: second, failingSinceTs: null });
    await appservices.step("a", { upTo: 8, acknowledged: 12, next: null });
    t.match(await stored(), { upTo: 8, lastTransaction: 12, waiting: null, lastError: null });
  });

  t.test(
    "application services: messages to devices are read, and go when they are acknowledged",
    async (t) => {
      await using database = await open();
      const { appservices, toDevice } = database.stores;
      const alice = await userWithDevices(database.stores, "alice", ["A", "B"]);
      for (const deviceId of ["A", "B"])
        await toDevice.send([{ userNid: alice, deviceId, event: "{}" }], atMost(1), null);
      const [a = 0, b = 0] = (await appservices.changesBetween(0, latest))
        .filter(({ stream }) => stream === "toDevice")
        .map(({ position }) => position);
      t.strictSame(await appservices.messagesAt([b, a, latest]), [
        { position: a, userId: "@alice:hearth.test", deviceId: "A", event: "{}" },
        { position: b, userId: "@alice:hearth.test", deviceId: "B", event: "{}" },
      ]);
      await appservices.begin(["a"], 0);
      const next = { transactionId: 1, body: "{}", takenMessages: [a] };
      await appservices.step("a", { upTo: b, acknowledged: null, next });
      t.ok(await toDevice.hasUpTo(alice, "A", latest), "it may have to be sent again");
      await appservices.step("a", { upTo: b, acknowledged: 1, next: null });
      t.notOk(await toDevice.hasUpTo(alice, "A", latest));
      t.ok(await toDevice.hasUpTo(alice, "B", latest), "what the application service does not take stays");
      const sent = await toDevice.send([{ userNid: alice, deviceId: "A", event: "{}" }], atMost(1), null);
      t.equal(sent.delivered, 1, "there is room in the inbox again");
    },
  );

  t.test("application services: changes of all kinds, in order", async (t) => {
    await using database = await open();
    const { stores } = database;
    const { appservices } = stores;
    const bob = createdNid(await stores.accounts.create(newAccount("@bob:hearth.test"), {}));
    const membership = { userNid: bob, isLocal: true, membership: "join", eventNid: 2 } as const;
    const [first, second] = await commitEvents(database, [{ eventNid: 1 }, { eventNid: 2 }], {
      memberships: [membership],
    });
    const receipt = { kind: "m.read", thread: "", eventId: "$1", eventPosition: 1, ts: 5 } as const;
    const roomId = "!room:hearth.test";
    await stores.receipts.put({ userNid: bob, roomNid, roomId }, [receipt], null);
    await stores.presence.put([{ userNid: bob, state: "online", statusMessage: null, lastActiveTs: 5 }]);
    const changes = await appservices.changesBetween(0, latest);
    t.strictSame(
      changes.map(({ stream, nid }) => [stream, nid]),
      [
        ["timeline", roomNid],
        ["timeline", roomNid],
        ["membership", bob],
        ["notifications", bob],
        ["presence", bob],
      ],
    );
    t.match(changes[2], { membership: { roomNid, joined: true } });
    t.match(changes[3], { readRoomNid: roomNid });
    const between = await appservices.changesBetween(first ?? 0, second ?? 0);
    t.strictSame(
      between.map(({ position }) => position),
      [second, second],
    );
    t.strictSame(await appservices.eventNidsAt([{ roomNid, position: second ?? 0 }]), [2]);
    t.strictSame(await appservices.localMemberships(roomNid), [
      { userNid: bob, userId: "@bob:hearth.test", position: second, isJoined: true },
    ]);
  });
}
