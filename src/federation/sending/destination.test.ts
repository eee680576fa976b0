import { setImmediate as nextTurn } from "node:timers/promises";
import t from "tap";
import type { ServerName } from "../../protocol/identifiers.ts";
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

  request = async ({ canonicalBody = "[]" }: FederationRequest) => {
    await nextTurn();
    this.attempts += 1;
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
): Destination {
  let transactions = 0;
  const parts: DestinationParts = {
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
    },
    clock,
    log: createLogTo({ write: () => undefined }, "fatal"),
    routedUpTo: () => position,
    deviceListsRoutedUpTo: () => 0,
    newTransactionId: () => `${++transactions}`,
    changed: () => undefined,
    inTurn: (_answers, work) => work(),
  };
  const upTo = { sentUpTo: 0, deviceListsUpTo: 0 };
  const waiting = { isBehind: false, hasToDevice: false, hasDeviceLists: false };
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

t.test("a server that was away is told what has happened in rooms that it is in no more", async (t) => {
  const [server, clock] = [new FakeServer(), new ManualClock()];
  position = 3;
  const destination = makeDestination(server, clock, (after) => (after < 2 ? [2] : []));
  server.isAway = true;
  destination.addPdu({ eventNid: 1, position: 1, isFarewell: true });
  await settled();
  destination.addPdu({ eventNid: 2, position: 2 });
  destination.addPdu({ eventNid: 3, position: 3, isFarewell: true });
  await settled();
  server.isAway = false;
  destination.heard();
  await settled();
  t.same(server.received, [[1, 3, 2]]);
  t.equal(destination.isIdle, true);
});
