import type { EventReader } from "../../state/event-reader.ts";
import type { Room, RoomIndex } from "../../state/room-index.ts";
import type { StateSnapshots } from "../../state/state-snapshots.ts";
import { eventFlags, type EventStore, type StoredEvent } from "../../storage/events.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { EventFilter } from "../../sync/event-filter.ts";
import type { EventPresenter } from "../../timeline/event-presenter.ts";
import type { EventFiltering } from "../../timeline/filtering.ts";
import type { MemberEvents } from "../../timeline/member-events.ts";
import type { Reader } from "../../timeline/reader.ts";
import { roomStateAfter, startOfTime } from "../../timeline/room-timelines.ts";
import type { ReadableRoom, RoomReading } from "./reading-access.ts";
import { HistoryForRequest, type RemoteHistory } from "./remote-history.ts";
import type { Direction, PageRange, TimelinePages } from "./timeline-pages.ts";

/** Events as JSON. */
export interface EventContext {
  readonly event: string;
  /** The closest first, in both. */
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly state: readonly string[];
  readonly start: number;
  readonly end: number;
}

const defaultLimit = 10;
const maxLimit = 1000;
/** Events at a moment that are tried until the reader may see one. */
const maxCandidates = 50;

export interface SingleEventParts {
  readonly access: RoomReading;
  readonly pages: TimelinePages;
  readonly store: EventStore;
  readonly rooms: RoomIndex;
  readonly events: EventReader;
  readonly snapshots: StateSnapshots;
  readonly names: NameCache;
  readonly presenter: EventPresenter;
  readonly members: MemberEvents;
  readonly filtering: EventFiltering;
  readonly history: RemoteHistory;
  readonly clock: Clock;
}

/** Single events, with what lies around them (client-server API, "Getting events for a room", "Event Context"). */
export class SingleEvents {
  readonly #parts: SingleEventParts;

  constructor(parts: SingleEventParts) {
    this.#parts = parts;
  }

  /** @returns the event as JSON; `undefined` when there is none that the user may see */
  async find(roomId: string, user: Omit<Reader, "ignored">, eventId: string): Promise<string | undefined> {
    const readable = await this.#parts.access.find(roomId, user);
    const event = readable && (await this.reached(readable, eventId, this.historyForRequest()));
    if (!event || event === "pending") return undefined;
    const [text] = await this.#present(readable, [event]);
    return text;
  }

  /** The same of whatever room it is in. */
  async findAnywhere(user: Omit<Reader, "ignored">, eventId: string): Promise<string | undefined> {
    const event = await this.#parts.store.byId(eventId);
    if (!event) return undefined;
    const { roomId } = await this.#parts.rooms.byNid(event.roomNid);
    return this.find(roomId, user, eventId);
  }

  /** An event of a room's timeline, if the reader may see it. */
  async visible({ room, view }: ReadableRoom, eventId: string): Promise<StoredEvent | undefined> {
    const event = await this.#parts.store.byId(eventId);
    if (!event || event.roomNid !== room.roomNid || event.position === null) return undefined;
    return (await view.maySee(event)) ? event : undefined;
  }

  /**
   * The same, from other servers where it is not here: it may be in a gap of the timeline.
   * @returns "pending" when it may be here later
   */
  async reached(
    readable: ReadableRoom,
    eventId: string,
    history: HistoryForRequest,
  ): Promise<StoredEvent | "pending" | undefined> {
    const known = await this.#parts.store.byId(eventId);
    if (known && known.roomNid !== readable.room.roomNid) return undefined;
    const isMissing = !known || isWithoutPlace(known);
    const outcome = isMissing ? await history.bringEvent(readable.room, eventId) : "changed";
    if (outcome !== "changed") return outcome === "pending" ? outcome : undefined;
    return this.visible(readable, eventId);
  }

  /** Other servers' history, for one request. */
  historyForRequest(): HistoryForRequest {
    return new HistoryForRequest(this.#parts.history, this.#parts.clock);
  }

  /**
   * @returns `undefined` when there is no such event that the user may see
   * @throws MatrixError M_FORBIDDEN for those who may not read the room
   */
  async context(
    roomId: string,
    user: Omit<Reader, "ignored">,
    eventId: string,
    wantedLimit: number | undefined,
    filter: EventFilter,
  ): Promise<EventContext | undefined> {
    const readable = await this.#parts.access.open(roomId, user);
    const history = this.historyForRequest();
    const event = await this.reached(readable, eventId, history);
    if (!event || event === "pending" || event.position === null) return undefined;
    const limit = Math.min(wantedLimit ?? filter.limit ?? defaultLimit, maxLimit);
    const { position } = event;
    const side = (range: PageRange) => this.#side(readable, range, filter, history);
    const before = await side({
      direction: "b",
      after: startOfTime,
      upTo: position - 1,
      limit: Math.floor(limit / 2),
    });
    const after = await side({
      direction: "f",
      after: position,
      upTo: readable.until,
      limit: Math.ceil(limit / 2),
    });
    const last = after.at(-1) ?? event;
    const [text = "{}"] = await this.#present(readable, [event]);
    return {
      event: text,
      before: await this.#present(readable, before),
      after: await this.#present(readable, after),
      state: await this.#state(readable, last, [...before, event, ...after], filter),
      start: (before.at(-1)?.position ?? position) - 1,
      end: last.position ?? position,
    };
  }

  /**
   * The event closest to a moment that the user may see: not before it (`f`), or not after it (`b`). Where events are
   * missing that may be closer, other servers are asked.
   */
  async closestInTime(
    roomId: string,
    user: Omit<Reader, "ignored">,
    originServerTs: number,
    direction: Direction,
  ): Promise<StoredEvent | undefined> {
    const readable = await this.#parts.access.open(roomId, user);
    const { room } = readable;
    const here = await this.#closestHere(readable, originServerTs, direction);
    if (!(await this.#isBesideGap(room, here, direction))) return here;
    const closerThan = here?.originServerTs;
    const found = await this.#parts.history.closestInTime(room, originServerTs, direction, closerThan);
    return (found === undefined ? undefined : await this.visible(readable, found)) ?? here;
  }

  async #closestHere(
    { room, view, until }: ReadableRoom,
    originServerTs: number,
    direction: Direction,
  ): Promise<StoredEvent | undefined> {
    const nids = await this.#parts.store.closestInTime(
      room.roomNid,
      originServerTs,
      direction === "f" ? "forwards" : "backwards",
      until,
      maxCandidates,
    );
    for (const event of await this.#parts.events.storedAll(nids)) if (await view.maySee(event)) return event;
    return undefined;
  }

  /** Whether events are missing right before an event (`f`), or right after it (`b`); anywhere, where there is none. */
  async #isBesideGap(
    { roomNid }: Room,
    event: StoredEvent | undefined,
    direction: Direction,
  ): Promise<boolean> {
    const { store } = this.#parts;
    const gaps = await store.gaps(roomNid);
    const position = event?.position;
    if (position === undefined || position === null) return gaps.length > 0;
    if (direction === "f") return gaps.includes(position);
    const next = gaps.find((gap) => gap > position);
    return next !== undefined && (await store.placesBackwards(roomNid, next - 1, position, 1)).length === 0;
  }

  async #side(
    readable: ReadableRoom,
    range: PageRange,
    filter: EventFilter,
    history: HistoryForRequest,
  ): Promise<readonly StoredEvent[]> {
    return range.limit === 0 ? [] : (await this.#parts.pages.read(readable, range, filter, history)).events;
  }

  #present({ room, view, until }: ReadableRoom, events: readonly StoredEvent[]): Promise<string[]> {
    return this.#parts.presenter.present(view, events, { roomId: room.roomId, aggregateUpTo: until });
  }

  /** "The state of the room at the last event returned." */
  async #state(
    { room }: ReadableRoom,
    last: StoredEvent,
    shown: readonly StoredEvent[],
    filter: EventFilter,
  ): Promise<string[]> {
    const { names, snapshots, events, presenter, members, filtering } = this.#parts;
    const snapshotNid = roomStateAfter(last);
    if (snapshotNid === null) return [];
    const wantedMembers = filter.lazyLoadMembers ? await members.of(snapshotNid, shown) : undefined;
    const kept: number[] = [];
    for (const [pairNid, eventNid] of await snapshots.map(snapshotNid)) {
      const { type } = await names.statePair(pairNid);
      const isWanted = type !== "m.room.member" || !wantedMembers || wantedMembers.has(pairNid);
      if (isWanted && filter.matchesType(type)) kept.push(eventNid);
    }
    const wanted = await filtering.passed(filter, await events.storedAll(kept));
    return presenter.presentState(wanted, room.roomId);
  }
}

/** Whether an event is known only for what rests on it. One that was refused is not to be had from others either. */
function isWithoutPlace({ flags }: StoredEvent): boolean {
  return (flags & eventFlags.outlier) !== 0 && (flags & eventFlags.rejected) === 0;
}
