import type { StateSnapshots } from "../state/state-snapshots.ts";
import type { TimelineWindow } from "./timeline-window.ts";

/** State events by state pair, as integer IDs. */
export type StateEntries = ReadonlyMap<number, number>;

const none: StateEntries = new Map();

/** The state before a window's first event. */
export function stateBefore({ events }: Pick<TimelineWindow, "events">, end: number | null): number | null {
  const [first] = events;
  return first ? first.stateBefore : end;
}

/** What is new in a state. What is gone without a successor cannot be told to clients. */
export async function newIn(
  snapshots: StateSnapshots,
  earlier: number | null,
  later: number | null,
): Promise<StateEntries> {
  if (earlier === later || later === null) return none;
  if (earlier === null) return snapshots.map(later);
  const entries = new Map<number, number>();
  for (const [pairNid, eventNid] of await snapshots.difference(earlier, later)) {
    if (eventNid !== undefined) entries.set(pairNid, eventNid);
  }
  return entries;
}

/** What is new between a window's start and the end without being in the window: after a fork, or behind a filter. */
export async function newBesides(
  snapshots: StateSnapshots,
  window: TimelineWindow,
  end: number | null,
): Promise<StateEntries> {
  if (isLine(window, end)) return none;
  return without(await newIn(snapshots, stateBefore(window, end), end), window);
}

/**
 * A window that does not contradict the state which comes before it: clients take its state events for newer than that. Where
 * an event that is not shown has taken the place of one that is, the window begins after the one, which clients get by
 * reading on backwards.
 */
export async function withoutContradiction(
  snapshots: StateSnapshots,
  window: TimelineWindow,
  end: number | null,
): Promise<TimelineWindow> {
  const besides = await newBesides(snapshots, window, end);
  if (besides.size === 0) return window;
  const last = window.events.findLastIndex(({ pairNid }) => pairNid !== null && besides.has(pairNid));
  const replaced = window.events[last];
  if (!replaced) return window;
  const events = window.events.slice(last + 1);
  const prevBatch = replaced.position ?? window.prevBatch;
  return withoutContradiction(snapshots, { ...window, events, limited: true, prevBatch }, end);
}

/** Entries whose events are not in a window. */
export function without(entries: StateEntries, window: TimelineWindow): StateEntries {
  if (entries.size === 0) return entries;
  const inWindow = new Set(window.events.map(({ eventNid }) => eventNid));
  return new Map([...entries].filter(([, eventNid]) => !inWindow.has(eventNid)));
}

/** Whether each event follows on the one before and makes the room's state what it is, so that the window has all there is. */
export function isLine(
  { events, isWhole }: Pick<TimelineWindow, "events" | "isWhole">,
  end: number | null,
): boolean {
  if (!isWhole) return false;
  let state = stateBefore({ events }, end);
  for (const event of events) {
    if (event.stateBefore !== state || event.roomState !== null) return false;
    state = event.stateAfter;
  }
  return state === end;
}
