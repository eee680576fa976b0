import type { Test } from "tap";
import type { Database } from "../database.ts";
import { type DelayedEventQuery, keptFinalised, type NewDelayedEvent } from "../delayed-events.ts";
import { commitEvents, eventIdOf } from "./room-fixture.ts";

const event: NewDelayedEvent = {
  delayId: "a",
  userNid: 1,
  deviceId: "DEVICE",
  requestKey: null,
  roomId: "!room:hearth.test",
  type: "m.room.message",
  stateKey: null,
  content: `{"body":"later"}`,
  stickyDurationMs: 5_000,
  originServerTs: 123,
  isUnlimited: 1,
  delayMs: 100,
  scheduledTs: 1_000,
};

const everything: DelayedEventQuery = {
  userNid: 1,
  fromTs: 0,
  toTs: Number.MAX_SAFE_INTEGER,
  roomId: undefined,
  type: undefined,
  status: undefined,
  backwards: false,
  after: undefined,
  limit: 10,
};

const idsOf = (events: readonly { delayId: string }[]) => events.map(({ delayId }) => delayId);

/** What every back end's store of delayed events does. */
export function delayedEventStoreContract(t: Test, open: () => Promise<Database>): void {
  t.test("delayed events: what is due comes in the order of its time", async (t) => {
    await using database = await open();
    const store = database.stores.delayedEvents;
    t.equal(await store.nextTs(0), undefined);
    await store.schedule(event, 10);
    await store.schedule({ ...event, delayId: "b", stateKey: "", delayMs: 50 }, 10);
    await store.schedule({ ...event, delayId: "c" }, 10);
    t.equal(await store.nextTs(0), 1_050);
    t.equal(await store.nextTs(1_050), 1_100);
    t.strictSame(await store.due(1_049, 10), []);
    t.strictSame(idsOf(await store.due(1_100, 10)), ["b", "a", "c"]);
    t.strictSame(idsOf(await store.due(1_100, 1)), ["b"]);
    t.match(await store.find("b"), {
      ...event,
      delayId: "b",
      stateKey: "",
      delayMs: 50,
      sendTs: 1_050,
      finalisedTs: null,
    });
    t.equal(await store.find("d"), undefined);
  });

  t.test("delayed events: they can be restarted until they have ended, and end once", async (t) => {
    await using database = await open();
    const store = database.stores.delayedEvents;
    await store.schedule(event, 10);
    t.equal(await store.restart("a", 5_000), true);
    t.match(await store.find("a"), { scheduledTs: 5_000, sendTs: 5_100 });
    const end = { finalisedTs: 5_050, eventId: null, error: "{}" };
    t.equal(await store.finalise("a", end), true);
    t.match(await store.find("a"), end);
    t.equal(await store.finalise("a", { finalisedTs: 6_000, eventId: "$e", error: null }), false);
    t.equal(await store.restart("a", 7_000), false);
    t.match(await store.find("a"), { ...end, scheduledTs: 5_000 });
    t.strictSame(await store.due(10_000, 10), []);
  });

  t.test("delayed events: the commit that sends one ends it", async (t) => {
    await using database = await open();
    const store = database.stores.delayedEvents;
    await store.schedule(event, 10);
    await commitEvents(database, [{ eventNid: 7, delayId: "a", finalisedTs: 1_100 }]);
    t.match(await store.find("a"), { finalisedTs: 1_100, eventId: eventIdOf(7), error: null });
    t.match(await database.stores.events.byNid(7), { delayId: "a" });
  });

  t.test("delayed events: a repeated request schedules nothing", async (t) => {
    await using database = await open();
    const store = database.stores.delayedEvents;
    const requested = { ...event, requestKey: "send 1" };
    const schedule = async (more: Partial<NewDelayedEvent>) => {
      const outcome = await store.schedule({ ...requested, ...more }, 3);
      return outcome.scheduled ? outcome.delayId : outcome.nextTs;
    };
    t.equal(await schedule({}), "a");
    t.equal(await schedule({ delayId: "b" }), "a");
    t.equal(await schedule({ delayId: "c", deviceId: "OTHER" }), "c");
    t.equal(await schedule({ delayId: "d", requestKey: "send 2" }), "d");
    t.equal(await schedule({ delayId: "e", requestKey: "send 3" }), 1_100, "three at once");
    t.equal(await schedule({ delayId: "b" }), "a", "also when there may be no more");
    t.equal(await schedule({ delayId: "f", userNid: 2 }), "f", "each user has their own bound");
  });

  t.test("delayed events: lists have bounds, a direction and pages", async (t) => {
    await using database = await open();
    const store = database.stores.delayedEvents;
    const times = { a: 100, b: 200, c: 200, d: 300 };
    for (const [delayId, delayMs] of Object.entries(times))
      await store.schedule({ ...event, delayId, delayMs }, 9);
    await store.schedule(
      { ...event, delayId: "e", roomId: "!other:hearth.test", type: "m.x", delayMs: 400 },
      9,
    );
    await store.schedule({ ...event, delayId: "f", userNid: 2 }, 9);
    await store.finalise("a", { finalisedTs: 1_100, eventId: "$e", error: null });
    await store.finalise("b", { finalisedTs: 1_100, eventId: null, error: "{}" });
    await store.finalise("c", { finalisedTs: 1_100, eventId: null, error: null });
    const listed = async (query: Partial<DelayedEventQuery>) =>
      idsOf(await store.list({ ...everything, ...query })).join("");
    t.equal(await listed({}), "abcde");
    t.equal(await listed({ backwards: true }), "edcba");
    t.equal(await listed({ fromTs: 1_200, toTs: 1_300 }), "bcd");
    t.equal(await listed({ type: "m.x" }), "e");
    t.equal(await listed({ roomId: event.roomId, status: "scheduled" }), "d");
    t.equal(await listed({ status: "sent" }), "a");
    t.equal(await listed({ status: "failed" }), "b");
    t.equal(await listed({ status: "cancelled" }), "c");
    const [, second] = await store.list(everything);
    t.equal(await listed({ after: second, limit: 2 }), "cd");
    t.equal(await listed({ after: second, backwards: true }), "a");
  });

  t.test("delayed events: what has ended is kept for a while", async (t) => {
    await using database = await open();
    const store = database.stores.delayedEvents;
    await store.schedule(event, 10);
    await store.finalise("a", { finalisedTs: 1_000, eventId: null, error: null });
    const atLast = 1_000 + keptFinalised.lifetimeMs;
    await store.schedule({ ...event, delayId: "b", scheduledTs: atLast }, 10);
    t.ok(await store.find("a"));
    await store.schedule({ ...event, delayId: "c", scheduledTs: atLast + 1 }, 10);
    t.equal(await store.find("a"), undefined);
    t.ok(await store.find("b"), "however old: it is still scheduled");
  });
}
