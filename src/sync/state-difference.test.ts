import t from "tap";
import { StateSnapshots } from "../state/state-snapshots.ts";
import type { StoredEvent } from "../storage/events.ts";
import { newBesides, newIn, stateBefore, without } from "./state-difference.ts";
import type { TimelineWindow } from "./timeline-window.ts";

let lastNid = 0;
const snapshots = new StateSnapshots({ snapshot: () => Promise.resolve(undefined) }, () => ++lastNid);
const [topic, name, member] = [1, 2, 3];

const base = snapshots.first(
  new Map([
    [topic, 101],
    [name, 102],
  ]),
).snapshotNid;
const derive = async (previous: number, pair: number, eventNid: number | undefined) =>
  (await snapshots.derive(previous, new Map([[pair, eventNid]]))).snapshotNid;

function event(
  eventNid: number,
  before: number,
  after: number,
  more: Partial<StoredEvent> = {},
): StoredEvent {
  return { eventNid, stateBefore: before, stateAfter: after, roomState: null, ...more } as StoredEvent;
}

function windowOf(events: readonly StoredEvent[], isWhole = true): TimelineWindow {
  return { events, isWhole, limited: false, prevBatch: 0, newest: events.at(-1) };
}

t.test("newIn has what is new or changed, and nothing of what is gone", async (t) => {
  const later = await derive(await derive(base, topic, 201), name, undefined);
  t.same([...(await newIn(snapshots, base, later))], [[topic, 201]]);
  t.equal((await newIn(snapshots, base, base)).size, 0);
  t.equal((await newIn(snapshots, null, base)).size, 2, "before the first event there is nothing");
});

t.test("a line of events has nothing besides itself", async (t) => {
  const after = await derive(base, topic, 301);
  const window = windowOf([event(301, base, after), event(302, after, after)]);
  t.equal(stateBefore(window, after), base);
  t.equal((await newBesides(snapshots, window, after)).size, 0);
});

t.test("state that is not in the window is told besides: behind a filter, or after a fork", async (t) => {
  const hidden = await derive(base, topic, 401);
  const filtered = windowOf([event(402, base, base)], false);
  t.same([...(await newBesides(snapshots, filtered, hidden))], [[topic, 401]]);
  const resolved = await derive(await derive(base, member, 501), topic, 502);
  const fork = windowOf([event(501, base, await derive(base, member, 501), { roomState: resolved })]);
  t.same([...(await newBesides(snapshots, fork, resolved))], [[topic, 502]]);
});

t.test("without leaves out what is in the window", async (t) => {
  const entries = new Map([
    [topic, 601],
    [name, 602],
  ]);
  t.same([...without(entries, windowOf([event(601, base, base)]))], [[name, 602]]);
});
