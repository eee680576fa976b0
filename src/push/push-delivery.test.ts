import { setImmediate } from "node:timers/promises";
import t from "tap";
import { OutboundError } from "../outbound/errors.ts";
import type { Pusher } from "../storage/pushers.ts";
import { createLogTo } from "../telemetry/log.ts";
import { ManualClock } from "../telemetry/testing/manual-clock.ts";
import { PushDelivery } from "./push-delivery.ts";

const log = createLogTo(process.stderr, "fatal");
const day = 24 * 60 * 60 * 1000;

function pusher(pusherNid: number): Pusher {
  const url = "https://push.test/_matrix/push/v1/notify";
  const description = JSON.stringify({ data: { url } });
  const own = { pusherNid, userNid: 1, deviceId: "PHONE", appId: "app", pushkey: `key${pusherNid}` };
  return { ...own, setTs: 1, isEnabled: true, description };
}

/** A delivery whose gateway does what the test says, on a clock that the test holds. */
function setUp() {
  const clock = new ManualClock();
  const state = {
    isDown: false,
    badge: 0,
    sent: [] as string[],
    removed: [] as number[],
    attempts: 0,
    told: 0,
  };
  const gone = new Set<number>();
  const delivery = new PushDelivery({
    store: {
      byNid: async (pusherNid) => (gone.has(pusherNid) ? undefined : pusher(pusherNid)),
      removeByNid: async (pusherNid) => {
        state.removed.push(pusherNid);
      },
    },
    notifications: {
      ofEvent: async (_pusher, eventNid) => ({ body: `event ${eventNid}`, badge: state.badge }),
      ofBadge: async () => ({ body: `badge ${state.badge}`, badge: state.badge }),
    },
    gateways: {
      notify: async (_url, body) => {
        state.attempts += 1;
        if (state.isDown) throw new OutboundError("unreachable", "down");
        state.sent.push(body);
        return body === "event 666" ? ["key1"] : [];
      },
    },
    told: () => {
      state.told += 1;
    },
    clock,
    log,
  });
  const due = (eventNid: number) => ({ eventNid, position: eventNid * 10, dueTs: clock.nowMs() });
  const settle = async () => {
    for (let turn = 0; turn < 5; turn++) await setImmediate();
  };
  const pass = async (durationMs: number, stepMs = 500) => {
    for (let passedMs = 0; passedMs < durationMs; passedMs += stepMs) {
      clock.advance(stepMs);
      await settle();
    }
  };
  return { clock, state, gone, delivery, due, settle, pass };
}

t.test("events in order, and a pusher that is done is behind no longer", async (t) => {
  const { delivery, due, settle, state } = setUp();
  for (const nid of [1, 2, 3]) delivery.addEvent(pusher(1), due(nid));
  t.strictSame(delivery.behind(), [{ pusherNid: 1, deliveredUpTo: 9 }]);
  await settle();
  t.strictSame(state.sent, ["event 1", "event 2", "event 3"]);
  t.strictSame(delivery.behind(), []);
  t.equal(state.told, 3);
});

t.test("a gateway that is down is tried at growing intervals, and then told everything", async (t) => {
  const { clock, delivery, due, settle, pass, state } = setUp();
  state.isDown = true;
  delivery.addEvent(pusher(1), due(1));
  await settle();
  t.equal(state.attempts, 1);
  delivery.addEvent(pusher(1), due(2));
  await settle();
  t.equal(state.attempts, 1, "new events do not hurry it");
  await pass(1_000);
  t.equal(state.attempts, 2);
  await pass(2_000);
  t.equal(state.attempts, 3);
  await pass(60_000);
  t.equal(state.attempts, 7, "after 4, 8, 16 and 32 seconds");
  t.strictSame(delivery.behind(), [{ pusherNid: 1, deliveredUpTo: 9 }]);
  state.isDown = false;
  await pass(64_000);
  t.strictSame(state.sent, ["event 1", "event 2"]);
  t.strictSame(delivery.behind(), []);
  await pass(1_000);
  t.equal(clock.waitingTimers, 0);
});

t.test("however many pushers wait for a gateway, one timer looks after them", async (t) => {
  const { clock, delivery, due, pass, state } = setUp();
  state.isDown = true;
  for (let nid = 1; nid <= 1_000; nid++) delivery.addEvent(pusher(nid), due(nid));
  while (state.attempts < 1_000) await setImmediate();
  t.equal(clock.waitingTimers, 1);
  state.isDown = false;
  await pass(2_000);
  while (state.sent.length < 1_000) await setImmediate();
  t.equal(delivery.behind().length, 0);
});

t.test("the newest events are kept, and none that is too old", async (t) => {
  const { clock, delivery, due, settle, pass, state } = setUp();
  state.isDown = true;
  delivery.addEvent(pusher(1), due(1));
  await settle();
  clock.advance(day + 1);
  await settle();
  t.strictSame(delivery.behind(), []);
  delivery.addEvent(pusher(1), due(2));
  await settle();
  for (let nid = 3; nid <= 150; nid++) delivery.addEvent(pusher(1), due(nid));
  state.isDown = false;
  await pass(2_000);
  await settle();
  while (delivery.behind().length > 0) await setImmediate();
  t.equal(state.sent.length, 100);
  t.equal(state.sent[0], "event 51");
  t.equal(state.sent.at(-1), "event 150");
});

t.test("badges are told when they have changed", async (t) => {
  const { delivery, due, settle, state } = setUp();
  state.badge = 1;
  delivery.addEvent(pusher(1), due(1));
  await settle();
  delivery.addBadge(pusher(1));
  await settle();
  t.strictSame(state.sent, ["event 1"], "the event has told it");
  state.badge = 0;
  delivery.addBadge(pusher(1));
  delivery.addBadge(pusher(1));
  await settle();
  t.strictSame(state.sent, ["event 1", "badge 0"]);
  state.isDown = true;
  state.badge = 5;
  delivery.addBadge(pusher(1));
  await settle();
  t.strictSame(delivery.behind(), [], "a badge is not worth remembering over a restart");
});

t.test("a badge alone is given up after a while", async (t) => {
  const { clock, delivery, settle, pass, state } = setUp();
  state.isDown = true;
  delivery.addBadge(pusher(1));
  await settle();
  await pass(3 * 60 * 60 * 1000, 60_000);
  t.equal(state.attempts, 16);
  t.equal(clock.waitingTimers, 0);
  state.isDown = false;
  delivery.addBadge(pusher(1));
  await settle();
  t.strictSame(state.sent, ["badge 0"]);
});

t.test("pushers that are gone, or rejected, are let go", async (t) => {
  const { delivery, due, gone, settle, state } = setUp();
  gone.add(2);
  delivery.addEvent(pusher(2), due(1));
  delivery.addEvent(pusher(1), due(666));
  delivery.addEvent(pusher(1), due(667));
  await settle();
  t.strictSame(state.sent, ["event 666"]);
  t.strictSame(state.removed, [1]);
  t.strictSame(delivery.behind(), []);
});

t.test("what is under way gets a moment to end, and is still due when it has not", async (t) => {
  const clock = new ManualClock();
  const delivery = new PushDelivery({
    store: { byNid: async (nid) => pusher(nid), removeByNid: async () => undefined },
    notifications: {
      ofEvent: async () => ({ body: "", badge: 0 }),
      ofBadge: async () => ({ body: "", badge: 0 }),
    },
    gateways: {
      notify: (_url, _body, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(new OutboundError("aborted", "broken off")));
        }),
    },
    told: () => undefined,
    clock,
    log,
  });
  delivery.addEvent(pusher(1), { eventNid: 1, position: 10, dueTs: clock.nowMs() });
  await setImmediate();
  const closing = delivery[Symbol.asyncDispose]();
  clock.advance(3_000);
  await closing;
  t.strictSame(delivery.behind(), [{ pusherNid: 1, deliveredUpTo: 9 }]);
});
