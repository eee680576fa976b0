import t from "tap";
import { everyStream, type StreamChange } from "../storage/streams.ts";
import { LiveMemberships } from "./live-memberships.ts";
import { Notifier } from "./notifier.ts";

const [alice, bob, carol] = [1, 2, 3];
const [hall, cellar] = [10, 20];
const roomsOf = new Map([
  [alice, [hall]],
  [bob, [hall, cellar]],
  [carol, [cellar]],
]);
const longMs = 60_000;

/** A notifier of which everybody's rooms are known, at position 100. */
async function setUp(read = (userNid: number) => Promise.resolve(roomsOf.get(userNid) ?? [])) {
  const memberships = new LiveMemberships(read);
  const faults: unknown[] = [];
  const notifier = new Notifier(memberships, (fault) => faults.push(fault));
  notifier.committed(100, []);
  for (const userNid of [alice, bob, carol]) await memberships.load(userNid);
  const going = new AbortController();
  const wait = (userNid: number, position = notifier.position, timeoutMs = longMs) =>
    notifier.wait(userNid, position, timeoutMs, going.signal);
  return { memberships, notifier, faults, going, wait };
}

function noFault(fault: unknown): void {
  throw fault;
}

function change(position: number, stream: StreamChange["stream"], nid: number): StreamChange {
  return { position, stream, nid };
}

/** Which of some promises are settled by now. */
async function settled(promises: readonly Promise<unknown>[]): Promise<boolean[]> {
  await new Promise((resolve) => setImmediate(resolve));
  const pending = Symbol("pending");
  const states = promises.map((promise) => Promise.race([promise, Promise.resolve(pending)]));
  return (await Promise.all(states)).map((state) => state !== pending);
}

t.test("a change wakes those whom it concerns, after the position has moved", async (t) => {
  for (const [stream, nid, expected] of [
    ["timeline", hall, [true, true, false]],
    ["typing", cellar, [false, true, true]],
    ["toDevice", carol, [false, false, true]],
    ["presence", alice, [true, true, false]],
  ] as const) {
    const { notifier, wait } = await setUp();
    let seen = 0;
    const waits = [alice, bob, carol].map(async (userNid) => {
      const isWoken = await wait(userNid);
      seen = notifier.position;
      return isWoken;
    });
    notifier.committed(101, [change(101, stream, nid)]);
    t.same(await settled(waits), expected, stream);
    t.equal(seen, 101);
    notifier.close();
    t.same(await Promise.all(waits), expected, "at the end nobody is told of anything");
    t.equal(notifier.waiting, 0);
  }
});

t.test("nobody waits for what has been committed already", async (t) => {
  const { notifier, wait } = await setUp();
  notifier.committed(101, [change(101, "timeline", hall)]);
  notifier.committed(102, [change(102, "timeline", cellar)]);
  t.equal(await wait(alice, 100), true);
  t.equal(await wait(alice, 101, 1), false, "that was elsewhere");
  t.equal(await wait(alice, 99), true, "what was before the start is not remembered");
  t.same(
    notifier.changesSince(101)?.map(({ position }) => position),
    [102],
  );
  t.equal(notifier.changesSince(99), undefined);
});

t.test("a new database has its changes remembered from the first on", async (t) => {
  const notifier = new Notifier(new LiveMemberships(() => Promise.resolve([])), noFault);
  notifier.committed(0, []);
  notifier.committed(3, [change(3, "presence", alice)]);
  t.equal(notifier.changesSince(0)?.length, 1);
});

t.test("a wait ends with its time, its client and the server", async (t) => {
  const { notifier, going, wait } = await setUp();
  t.equal(await wait(alice, 100, 5), false);
  t.equal(await wait(alice, 100, 0), false);
  const aborted = wait(alice);
  going.abort();
  t.equal(await aborted, false);
  t.equal(await wait(alice), false, "the client has gone before");
  t.equal(notifier.waiting, 0);
});

t.test("a user has so many waits open and no more: the oldest ends early", async (t) => {
  const { notifier, wait } = await setUp();
  const waits = Array.from({ length: 33 }, () => wait(alice));
  t.equal((await settled(waits)).filter(Boolean).length, 1);
  t.equal(await waits[0], true);
  notifier.close();
  await Promise.all(waits);
});

t.test("who follows is told before the position is visible", async (t) => {
  const { notifier } = await setUp();
  const told: unknown[] = [];
  notifier.follow(["timeline", "typing"], (position, changes) => {
    t.equal(notifier.position, position - 1);
    told.push(changes);
  });
  const [message, presence, typing] = [
    change(101, "timeline", hall),
    change(101, "presence", bob),
    change(101, "typing", hall),
  ];
  notifier.committed(101, [message, presence, typing]);
  t.equal(notifier.position, 101);
  notifier.committed(102, [change(102, "presence", alice)]);
  notifier.committed(103, []);
  notifier.committed(104, [change(104, "typing", cellar)]);
  t.same(told, [[message, typing], [change(104, "typing", cellar)]], "of the streams that they follow");
});

t.test("a follower's fault is told and keeps nobody else from hearing of a commit", async (t) => {
  const { notifier, faults, wait } = await setUp();
  const fault = new Error("not prepared for this");
  const heard: number[] = [];
  notifier.follow(["timeline"], () => {
    throw fault;
  });
  notifier.follow(everyStream, (position) => heard.push(position));
  const waiting = wait(alice);
  notifier.committed(101, [change(101, "timeline", hall)]);
  t.equal(await waiting, true);
  t.equal(notifier.position, 101);
  t.same(heard, [101]);
  t.same(faults, [fault]);
});

t.test("where it cannot be found out whom a change concerns, that is told", async (t) => {
  const fault = new Error("no such table");
  const reads = [Promise.resolve([hall]), Promise.resolve([]), Promise.resolve([]), Promise.reject(fault)];
  const { notifier, faults, wait } = await setUp(() => reads.shift() ?? Promise.reject(fault));
  const waiting = wait(alice);
  notifier.committed(101, [change(101, "presence", 4), change(101, "timeline", hall)]);
  t.equal(await waiting, true);
  await settled([]);
  t.same(faults, [fault]);
});

t.test("whose rooms have been forgotten looks again instead of waiting in vain", async (t) => {
  const memberships = new LiveMemberships((userNid) => Promise.resolve(roomsOf.get(userNid) ?? []), 2);
  const notifier = new Notifier(memberships, noFault);
  notifier.committed(100, []);
  const { signal } = new AbortController();
  const waiting = (async () => {
    await memberships.load(alice);
    return notifier.wait(alice, 100, longMs, signal);
  })();
  await settled([]);
  for (const userNid of [bob, carol, bob]) await memberships.load(userNid);
  t.ok(memberships.roomsOf(alice), "who waits is kept");
  notifier.committed(101, [change(101, "timeline", hall)]);
  t.equal(await waiting, true);
  for (const userNid of [bob, carol]) await memberships.load(userNid);
  t.equal(memberships.roomsOf(alice), undefined, "who waits no longer goes");
  t.equal(await notifier.wait(alice, 101, longMs, signal), true);
});
