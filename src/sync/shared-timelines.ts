import { boundedCache } from "../cache/bounded-cache.ts";
import type { StoredEvent } from "../storage/events.ts";
import type { NameCache } from "../storage/name-cache.ts";
import type { StreamChange } from "../storage/streams.ts";
import type { Clock } from "../telemetry/clock.ts";
import type { EventPresenter } from "../timeline/event-presenter.ts";
import type { MemberEvents } from "../timeline/member-events.ts";
import type { Reader } from "../timeline/reader.ts";
import { roomStateAfter, type RoomTimelines, startOfTime } from "../timeline/room-timelines.ts";
import { isLine, type StateEntries } from "./state-difference.ts";
import { shownOf, type TimelineWindow } from "./timeline-window.ts";

/** The newest events of a room, as everybody gets them who was in it all along. */
export interface SharedTimeline {
  readonly window: TimelineWindow;
  /** The room's state after them. */
  readonly end: number | null;
  /** JSON objects, joined by commas: bytes where they are many, so that answers need no copy of them. */
  readonly text: string | Buffer;
  readonly senders: ReadonlySet<number>;
  /** Member events of the senders by state pair; `undefined` where the events change the state. */
  readonly members: StateEntries | undefined;
  /** What the events change, and the one before them. */
  readonly pairs: ReadonlySet<number>;
}

interface Entry {
  readonly limit: number;
  readonly madeAtMs: number;
  readonly work: Promise<SharedTimeline | undefined>;
}

export interface SharedTimelinesParts {
  readonly timelines: Pick<RoomTimelines, "newest">;
  readonly presenter: EventPresenter;
  readonly names: Pick<NameCache, "findStatePair">;
  readonly members: MemberEvents;
  readonly clock: Clock;
}

/** Events tell how old they are: for so short a time nobody sees a difference. */
const lifetimeMs = 1_000;
const cachedRooms = 1_000;
/** Bounds memory, with the number of rooms. */
const maxTextChars = 64 * 1024;
const bytesFromChars = 4 * 1024;
const endOfTime = Number.MAX_SAFE_INTEGER;

/**
 * Timelines of first syncs that are the same for many readers. A room's is forgotten with every change of the room: what is
 * found here has all that has been committed in the room.
 */
export class SharedTimelines {
  readonly #parts: SharedTimelinesParts;
  readonly #entries = boundedCache<number, Entry>(cachedRooms);

  constructor(parts: SharedTimelinesParts) {
    this.#parts = parts;
  }

  /** To be told of each commit before its position becomes visible. */
  readonly committed = (_position: number, changes: readonly StreamChange[]): void => {
    for (const { stream, nid } of changes) {
      if (stream === "timeline" || stream === "stickyEvents") this.#entries.delete(nid);
      else if (stream === "erasures") this.#entries.clear();
    }
  };

  /**
   * The newest events of a room up to a position at which the reader is joined to it.
   * @returns `undefined` where the reader has to have the timeline made for them alone
   */
  async newest(
    roomNid: number,
    upTo: number,
    limit: number,
    reader: Reader,
  ): Promise<SharedTimeline | undefined> {
    const shared = await this.#entry(roomNid, limit).work;
    // What has come after the position is for the next sync.
    if (!shared || (shared.window.newest?.position ?? endOfTime) > upTo) return undefined;
    return (await this.#isFor(shared, reader)) ? shared : undefined;
  }

  /** Whether the reader was joined all along, wants to see every event, and has none sent with this device. */
  async #isFor({ pairs, senders }: SharedTimeline, reader: Reader): Promise<boolean> {
    const { presenter, names } = this.#parts;
    if (!reader.ignored.isDisjointFrom(senders)) return false;
    if (senders.has(reader.userNid) && (await presenter.hasSent(reader))) return false;
    if (pairs.size === 0) return true;
    const ownPair = await names.findStatePair("m.room.member", reader.userId);
    return ownPair === undefined || !pairs.has(ownPair);
  }

  #entry(roomNid: number, limit: number): Entry {
    const nowMs = this.#parts.clock.monotonicMs();
    const known = this.#entries.get(roomNid);
    if (known?.limit === limit && nowMs - known.madeAtMs < lifetimeMs) return known;
    const entry = { limit, madeAtMs: nowMs, work: this.#make(roomNid, limit) };
    this.#entries.set(roomNid, entry);
    entry.work.catch(() => {
      if (this.#entries.peek(roomNid) === entry) this.#entries.delete(roomNid);
    });
    return entry;
  }

  async #make(roomNid: number, limit: number): Promise<SharedTimeline | undefined> {
    const { timelines, presenter } = this.#parts;
    // One more than is shown: whoever was in the room with that one knows that there are more.
    const { events, followsGap } = await timelines.newest(roomNid, startOfTime, endOfTime, limit + 1);
    const newest = events.at(-1);
    if (!newest || limit === 0 || events.length <= limit || followsGap) return undefined;
    const end = roomStateAfter(newest);
    if (!isLine({ events, isWhole: true }, end)) return undefined;
    const window = { ...shownOf(events, limit, endOfTime), isWhole: true, newest };
    const texts = await presenter.presentToMembers(window.events);
    const text = texts?.join(",");
    if (text === undefined || text.length > maxTextChars) return undefined;
    const shared = text.length < bytesFromChars ? text : Buffer.from(text);
    const pairs = pairsOf(window.events);
    const members = pairs.size === 0 ? await this.#parts.members.of(end, window.events) : undefined;
    return { window, end, text: shared, senders: sendersOf(window.events), members, pairs: pairsOf(events) };
  }
}

function sendersOf(events: readonly StoredEvent[]): ReadonlySet<number> {
  return new Set(events.map(({ senderNid }) => senderNid));
}

function pairsOf(events: readonly StoredEvent[]): ReadonlySet<number> {
  return new Set(events.map(({ pairNid }) => pairNid).filter((nid) => nid !== null));
}
