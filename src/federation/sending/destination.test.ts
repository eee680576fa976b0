import { setImmediate as nextTurn } from "node:timers/promises";
import t from "tap";
import type { ServerName } from "../../protocol/identifiers.ts";
import type { JsonValue } from "../../protocol/json.ts";
import { createLogTo } from "../../telemetry/log.ts";
import { ManualClock } from "../../telemetry/testing/manual-clock.ts";
import { FederationError, type FederationRequest } from "../federation-client.ts";
import { Backoff } from "./backoff.ts";
import { Destination, type DestinationParts } from "./destination.ts";

const name = "away.example" as ServerName;

/** A server that can be away, and the events of rooms that it has been sent: their integer IDs are their positions. */
class FakeServer {
  isAway = false;
  attempts = 0;
  /** Of the transactions that have reached it. */
  readonly received: (readonly number[])[] = [];

  /** What it does in place of answering as usual. */
  fault: ((request: FederationRequest) => Promise<JsonValue>) | undefined;

  request = async (request: FederationRequest): Promise<JsonValue> => {
    const { canonicalBody = "[]" } = request;
    await nextTurn();
    this.attempts += 1;
    if (this.fault) return this.fault(request);
    if (this.isAway) throw new FederationError("unreachable", "nobody answers");
    this.received.push(JSON.parse(canonicalBody) as number[]);
    return { pdus: {} };
  };
}

/** @param newestOf the newest event of each room after a position */
function makeDestination(
  server: FakeServer,
  clock: ManualClock,
  newestOf: (after: number) => readonly number[],
  logged: string[] = [],
): Destination {
  return destinationOf(clock, makeParts(server, clock, newestOf, logged));
}

function makeParts(
  server: FakeServer,
  clock: ManualClock,
  newestOf: (after: number) => readonly number[],
  logged: string[],
): DestinationParts {
  let transactions = 0;
  return {
    client: server,
    texts: { of: (nids) => Promise.resolve(JSON.stringify(nids)) },
    deviceUpdates: { after: () => Promise.reject(new Error("nothing is told of devices")) },
    store: {
      unsentRooms: (_server, after) =>
        Promise.resolve({
          rooms: newestOf(after).map((position) => ({ roomNid: 1, eventNid: position, position })),
          lookedUpTo: null,
        }),
      toDevice: () => Promise.resolve([]),
      removeToDevice: () => Promise.resolve(),
      farewells: () => Promise.resolve([]),
      removeFarewells: () => Promise.resolve(),
    },
    clock,
    log: createLogTo({ write: (line: string) => void logged.push(line) }, "info"),
    routedUpTo: () => position,
    deviceListsRoutedUpTo: () => 0,
    newTransactionId: () => `${++transactions}`,
    changed: () => undefined,
    inTurn: (_answers, work) => work(),
  };
}

function destinationOf(clock: ManualClock, parts: DestinationParts): Destination {
  const upTo = { sentUpTo: 0, deviceListsUpTo: 0 };
  const waiting = { isBehind: false, hasFarewells: false, hasToDevice: false, hasDeviceLists: false };
  return new Destination(name, new Backoff(clock, () => 0.5), upTo, waiting, parts);
}

let position = 0;
const settled = async () => {
  for (let turn = 0; turn < 20; turn++) await nextTurn();
};

t.test(
  "a server that was away for long gets the newest of each room, and not all that was said",
  async (t) => {
    const [server, clock] = [new FakeServer(), new ManualClock()];
    position = 0;
    const destination = makeDestination(server, clock, (after) =>
      [position - 1, position].filter((each) => each > after),
    );
    server.isAway = true;
    for (let count = 0; count < 10_000; count++) {
      position += 1;
      destination.addPdu({ eventNid: position, position });
    }
    await settled();
    t.ok(server.attempts >= 1);
    server.isAway = false;
    clock.advance(10_000);
    await settled();
    t.same(server.received, [[9_999, 10_000]]);
    t.equal(destination.sentUpTo, 10_000);
    destination.addPdu({ eventNid: ++position, position });
    await settled();
    t.same(server.received.at(-1), [10_001], "from then on everything is sent again");
  },
);

t.test("a server is tried ever later, and at once when it has been heard of", async (t) => {
  const [server, clock] = [new FakeServer(), new ManualClock()];
  position = 1;
  const destination = makeDestination(server, clock, (after) => (after < position ? [position] : []));
  server.isAway = true;
  destination.addPdu({ eventNid: 1, position: 1 });
  await settled();
  for (let attempt = 0; attempt < 6; attempt++) {
    t.equal(server.attempts, attempt + 1);
    const { waitMs } = destination.backoff;
    clock.advance(waitMs - 1);
    await settled();
    t.equal(server.attempts, attempt + 1, "not before its time");
    clock.advance(1);
    await settled();
  }
  t.ok(destination.backoff.waitMs > 10 * 60_000, `it waits ${destination.backoff.waitMs} ms by then`);
  server.isAway = false;
  destination.heard();
  await settled();
  t.same(server.received, [[1]]);
  t.equal(destination.backoff.waitMs, 0);
  t.equal(clock.waitingTimers, 0, "nothing waits any more");
});

t.test(
  "a server is not taken to be back while only rooms are looked at in which it has missed nothing",
  async (t) => {
    const [server, clock] = [new FakeServer(), new ManualClock()];
    position = 3;
    const parts = makeParts(server, clock, () => [], []);
    // Two pages of rooms in which others have spoken, then one with an event of ours.
    const unsentRooms = (_server: string, _after: number, lookedUpTo: number) =>
      Promise.resolve(
        lookedUpTo < 2
          ? { rooms: [], lookedUpTo: lookedUpTo + 1 }
          : { rooms: [{ roomNid: 1, eventNid: 3, position: 3 }], lookedUpTo: null },
      );
    const destination = destinationOf(clock, { ...parts, store: { ...parts.store, unsentRooms } });
    server.isAway = true;
    destination.addPdu({ eventNid: 3, position: 3 });
    await settled();
    const waits = [];
    for (let attempt = 0; attempt < 4; attempt++) {
      waits.push(destination.backoff.waitMs);
      clock.advance(destination.backoff.waitMs);
      await settled();
    }
    t.equal(server.attempts, 5);
    t.same(
      waits,
      waits.toSorted((a, b) => a - b),
      "it is tried ever later",
    );
    t.ok((waits[3] ?? 0) > 60_000);
    server.isAway = false;
    destination.heard();
    await settled();
    t.same(server.received, [[3]]);
    t.equal(destination.isIdle, true);
  },
);

t.test("a server that was away is told what has happened in rooms that it is in no more", async (t) => {
  const [server, clock] = [new FakeServer(), new ManualClock()];
  position = 3;
  const parts = makeParts(server, clock, (after) => (after < 2 ? [2] : []), []);
  let stored: readonly number[] = [];
  const destination = destinationOf(clock, {
    ...parts,
    store: {
      ...parts.store,
      farewells: async (_server, limit) => stored.slice(0, limit),
      removeFarewells: async (eventNids) => {
        stored = stored.filter((eventNid) => !eventNids.includes(eventNid));
      },
    },
  });
  const say = (eventNid: number) => {
    stored = [...stored, eventNid];
    destination.addFarewell();
  };
  server.isAway = true;
  say(1);
  await settled();
  destination.addPdu({ eventNid: 2, position: 2 });
  say(3);
  await settled();
  t.same(stored, [1, 3], "it is kept until it has been sent");
  server.isAway = false;
  destination.heard();
  await settled();
  t.same(server.received, [[1, 3, 2]]);
  t.same(stored, []);
  t.equal(destination.isIdle, true);
  for (let eventNid = 10; eventNid < 25; eventNid++) say(eventNid);
  await settled();
  t.same(
    server.received.slice(1).flat(),
    Array.from({ length: 15 }, (_, index) => 10 + index),
    "one after the other, each once",
  );
});

t.test("whatever a server answers with, it counts as taken, and little of it is logged", async (t) => {
  const [server, clock, logged] = [new FakeServer(), new ManualClock(), [] as string[]];
  position = 0;
  const destination = makeDestination(server, clock, () => [], logged);
  const refusal = { error: "x".repeat(100_000) };
  const refusals = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`$${index}`, refusal]));
  for (const answer of [[], "garbage", null, { pdus: [] }, { pdus: { $a: null } }, { pdus: refusals }]) {
    server.fault = async () => answer;
    destination.addPdu({ eventNid: ++position, position });
    await settled();
    t.equal(destination.sentUpTo, position);
  }
  t.equal(logged.length, 50);
  t.ok(logged.join("").length < 50 * 1_000);
});

t.test("what is in front of a server says nothing of what it is sent", async (t) => {
  for (const [status, isKept] of [
    [302, true],
    [401, true],
    [429, true],
    [502, true],
    [400, false],
    [403, false],
  ] as const) {
    const [server, clock] = [new FakeServer(), new ManualClock()];
    position = 1;
    const destination = makeDestination(server, clock, (after) => (after < position ? [position] : []));
    server.fault = async () => {
      throw new FederationError("refused", "not now", { status });
    };
    destination.addPdu({ eventNid: 1, position: 1 });
    await settled();
    server.fault = undefined;
    destination.heard();
    await settled();
    t.same(server.received, isKept ? [[1]] : [], `status ${status}`);
  }
});

t.test(
  "a server that does not answer keeps nobody from stopping, and is not taken for a dead one",
  async (t) => {
    const [server, clock] = [new FakeServer(), new ManualClock()];
    position = 1;
    const destination = makeDestination(server, clock, () => []);
    server.fault = ({ signal }) =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener("abort", () => reject(new FederationError("unreachable", "broken off")));
      });
    destination.addPdu({ eventNid: 1, position: 1 });
    await settled();
    const closed = destination.close();
    clock.advance(5_000);
    await closed;
    t.match(destination.row, { sentUpTo: 0, failingSinceTs: null, retryTs: null });
    t.equal(clock.waitingTimers, 0);
  },
);

t.test(
  "what is too large for a server is sent in parts, and only what is so alone is given up",
  async (t) => {
    const [server, clock, logged] = [new FakeServer(), new ManualClock(), [] as string[]];
    position = 20;
    const destination = makeDestination(server, clock, () => [], logged);
    const sizes: number[] = [];
    server.fault = async ({ canonicalBody = "[]" }) => {
      const nids = JSON.parse(canonicalBody) as number[];
      sizes.push(nids.length);
      if (nids.length > 4 || nids.includes(7)) throw new FederationError("refused", "large", { status: 413 });
      server.received.push(nids);
      return {};
    };
    for (let eventNid = 1; eventNid <= 10; eventNid++) destination.addPdu({ eventNid, position: eventNid });
    await settled();
    t.same(server.received, [[1], [2, 3, 4], [5, 6], [8], [9, 10]]);
    t.same(sizes, [1, 9, 5, 3, 2, 4, 2, 1, 1, 2]);
    t.equal(logged.filter((line) => line.includes("refused for good")).length, 1);
    t.equal(destination.isIdle, true);
    t.equal(destination.backoff.failingSinceTs, null);
  },
);

t.test("a server that goes away between the parts is sent all of it again", async (t) => {
  const [server, clock] = [new FakeServer(), new ManualClock()];
  position = 3;
  const destination = makeDestination(server, clock, (after) => (after < position ? [2, 3] : []));
  server.fault = async ({ canonicalBody = "[]" }) => {
    const nids = JSON.parse(canonicalBody) as number[];
    if (nids.length > 1) throw new FederationError("refused", "large", { status: 413 });
    if (nids.includes(3)) throw new FederationError("unreachable", "it has gone");
    return {};
  };
  for (let eventNid = 1; eventNid <= 3; eventNid++) destination.addPdu({ eventNid, position: eventNid });
  await settled();
  t.equal(destination.isIdle, false);
  server.fault = undefined;
  destination.heard();
  await settled();
  t.same(server.received, [[2, 3]]);
  t.equal(destination.isIdle, true);
});
