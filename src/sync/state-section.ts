import type { EventReader } from "../state/event-reader.ts";
import type { Room } from "../state/room-index.ts";
import type { StateSnapshots } from "../state/state-snapshots.ts";
import type { NameCache } from "../storage/name-cache.ts";
import type { EventPresenter } from "../timeline/event-presenter.ts";
import type { EventFiltering } from "../timeline/filtering.ts";
import type { MemberEvents } from "../timeline/member-events.ts";
import { type StateTexts, stateWithoutMembers, wholeState } from "../timeline/state-texts.ts";
import type { LazyMembers } from "./lazy-members.ts";
import {
  newBesides,
  newIn,
  type StateEntries,
  stateBefore,
  without,
  withoutContradiction,
} from "./state-difference.ts";
import type { JsonPieces, SyncRound } from "./sync-request.ts";
import type { TimelineWindow } from "./timeline-window.ts";

/** The states between which a client has to be brought, as snapshots; `null` is a state without events. */
export interface StateRange {
  /** What the client has; `undefined` when it is to get everything. */
  readonly known: number | null | undefined;
  /** After the last event. */
  readonly end: number | null;
  /** The member events of those who have sent the timeline's events, where they are known already. */
  readonly senders?: StateEntries | undefined;
}

export interface StateSection {
  /** Events as JSON, joined by commas. */
  readonly pieces: JsonPieces;
  /** What a client that loads members lazily has got with it and the timeline, by state pair. */
  readonly sent: Map<number, number>;
}

export interface StateSectionParts {
  readonly snapshots: StateSnapshots;
  readonly events: EventReader;
  readonly names: NameCache;
  readonly texts: StateTexts;
  readonly presenter: EventPresenter;
  readonly members: MemberEvents;
  readonly filtering: EventFiltering;
  readonly lazyMembers: LazyMembers;
}

/** Works out `state` (or `state_after`) of a room in a sync: what the client needs beside the timeline. */
export class StateSections {
  readonly #parts: StateSectionParts;

  constructor(parts: StateSectionParts) {
    this.#parts = parts;
  }

  /** The window to show: `state_after` is told after it, and `state` must not be overridden by it. */
  windowFor({ request }: SyncRound, window: TimelineWindow, end: number | null): Promise<TimelineWindow> {
    if (request.stateSection !== "state") return Promise.resolve(window);
    return withoutContradiction(this.#parts.snapshots, window, end);
  }

  /** @param heroes user IDs that the summary names: their member events are loaded lazily too */
  async read(
    round: SyncRound,
    room: Room,
    window: TimelineWindow,
    { known, end, senders }: StateRange,
    heroes: readonly string[],
  ): Promise<StateSection> {
    const { filter, stateSection } = round.request;
    if (!filter.state.matchesRoom(room.roomId)) return { pieces: [], sent: new Map() };
    const atEnd = stateSection !== "state";
    const target = atEnd ? end : stateBefore(window, end);
    const besides = atEnd ? new Map() : await newBesides(this.#parts.snapshots, window, end);
    const lazy = filter.state.lazyLoadMembers;
    // "Servers MUST include the syncing user's own membership event when they join a room."
    const further = known === undefined ? [round.reader.userId, ...heroes] : heroes;
    const shown = senders ? [] : window.events;
    const found = lazy ? await this.#parts.members.of(target, shown, further) : undefined;
    const members = found && senders ? new Map([...senders, ...found]) : found;
    if (known === undefined) {
      const wanted = members && without(members, atEnd ? { ...window, events: [] } : window);
      const pieces = await this.#whole(round, room, target, besides, wanted);
      return { pieces, sent: sentWith(window, wanted) };
    }
    const changes = await newIn(this.#parts.snapshots, known, target);
    const ungot = members ? this.#ungot(round, room, members) : [];
    const all = new Map([...ungot, ...changes, ...besides]);
    const entries = atEnd ? all : without(all, window);
    const pieces = await this.#listed(round, [...entries.values()]);
    return { pieces, sent: sentWith(window, lazy ? entries : undefined) };
  }

  /** A whole state. With `members`, no other member events. */
  async #whole(
    round: SyncRound,
    room: Room,
    target: number | null,
    besides: StateEntries,
    members: StateEntries | undefined,
  ): Promise<JsonPieces> {
    const { state } = round.request.filter;
    if (target !== null && besides.size === 0 && state.matchesAll && !round.format) {
      const rendering = members ? stateWithoutMembers : wholeState;
      const text = await this.#parts.texts.of(room.roomNid, target, rendering, round.pace);
      if (!members) return [text];
      return joined([text], await this.#listed(round, [...members.values()]));
    }
    const entries = new Map([
      ...(target === null ? [] : await this.#parts.snapshots.map(target)),
      // Of a room whose members are not all known they need not be in its state.
      ...(members ?? []),
      ...besides,
    ]);
    const kept: number[] = [];
    for (const [pairNid, eventNid] of entries) {
      const { type } = await this.#parts.names.statePair(pairNid);
      const isWanted = type !== "m.room.member" || !members || members.has(pairNid) || besides.has(pairNid);
      if (isWanted && state.matchesType(type)) kept.push(eventNid);
    }
    return this.#listed(round, kept);
  }

  /** State events one by one. */
  async #listed(round: SyncRound, eventNids: readonly number[]): Promise<JsonPieces> {
    if (eventNids.length === 0) return [];
    const events = await this.#parts.events.storedAll(eventNids);
    const wanted = await this.#parts.filtering.passed(round.request.filter.state, events);
    const texts = await this.#parts.presenter.presentState(wanted);
    const { format } = round;
    const shown = format ? wanted.map((event, index) => format.apply(event, texts[index] ?? "{}")) : texts;
    return shown.length === 0 ? [] : [shown.join(",")];
  }

  #ungot({ request }: SyncRound, { roomNid }: Room, members: StateEntries): [number, number][] {
    const entries = [...members];
    if (request.filter.state.includeRedundantMembers) return entries;
    const got = this.#parts.lazyMembers.of(request.device, roomNid);
    return entries.filter(([pairNid, eventNid]) => got?.get(pairNid) !== eventNid);
  }
}

function joined(first: JsonPieces, second: JsonPieces): JsonPieces {
  const isEmpty = (pieces: JsonPieces) => pieces.every((piece) => piece.length === 0);
  if (isEmpty(first)) return second;
  return isEmpty(second) ? first : [...first, ",", ...second];
}

/** Nothing is kept for clients that want every member anyway. */
function sentWith(window: TimelineWindow, entries: StateEntries | undefined): Map<number, number> {
  const sent = new Map(entries);
  if (!entries) return sent;
  for (const { pairNid, eventNid } of window.events) if (pairNid !== null) sent.set(pairNid, eventNid);
  return sent;
}
