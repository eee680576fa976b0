import type { Room, RoomIndex } from "../state/room-index.ts";
import type { StateSnapshots } from "../state/state-snapshots.ts";
import type { StoredEvent } from "../storage/events.ts";
import type { EventPresenter } from "../timeline/event-presenter.ts";
import { roomStateAfter, type RoomTimelines, startOfTime } from "../timeline/room-timelines.ts";
import type { RoomView, RoomViews } from "../timeline/room-view.ts";
import { streamToken } from "../timeline/stream-token.ts";
import type { SharedTimelines } from "./shared-timelines.ts";
import type { RoomSummaries, RoomSummary } from "./room-summary.ts";
import { newIn } from "./state-difference.ts";
import type { StateSections } from "./state-section.ts";
import type { RoomUnreadCounts } from "./streams/unread-counts.ts";
import type { JsonPieces, SyncRound } from "./sync-request.ts";
import { emptyWindow, limitOf, type TimelineWindow, type TimelineWindows } from "./timeline-window.ts";

/** What a room brings beside its timeline and state. Events as JSON. */
export interface RoomExtras {
  readonly ephemeral: readonly string[];
  readonly accountData: readonly string[];
  /** Sticky events, be they in the timeline or not. */
  readonly sticky: readonly StoredEvent[];
  readonly unread: RoomUnreadCounts | undefined;
  readonly unreadChanged: boolean;
}

/** A room's part of an answer. */
export interface RoomPart {
  /** A JSON object. */
  readonly pieces: JsonPieces;
  /** What a client that loads members lazily gets with it, by state pair. */
  readonly sent: Map<number, number>;
}

export interface RoomPartsReader {
  readonly rooms: RoomIndex;
  readonly views: RoomViews;
  readonly timelines: RoomTimelines;
  readonly windows: TimelineWindows;
  readonly shared: SharedTimelines;
  readonly snapshots: StateSnapshots;
  readonly states: StateSections;
  readonly summaries: RoomSummaries;
  readonly presenter: EventPresenter;
}

/** Makes the parts of rooms that the user is joined to (client-server API, "Syncing": `Joined Room`). */
export class JoinedRooms {
  readonly #parts: RoomPartsReader;

  constructor(parts: RoomPartsReader) {
    this.#parts = parts;
  }

  /**
   * @param isNew whether the client is to get the room as in a first sync
   * @returns `undefined` when there is nothing to tell
   */
  async read(
    round: SyncRound,
    room: Room,
    isNew: boolean,
    extras: RoomExtras,
  ): Promise<RoomPart | undefined> {
    const { request, reader } = round;
    const since = isNew ? undefined : request.since?.position;
    const view = this.#parts.views.of(room.roomNid, reader);
    const shared = request.since ? undefined : await this.#shared(round, room);
    const { window, end } = shared ?? (await this.#window(round, room, view, isNew));
    const known =
      since === undefined || request.fullState ? undefined : await this.#stateAt(room.roomNid, since);
    const summary = await this.#summary(room, known, end, reader.userNid);
    const range = { known, end, senders: shared?.members };
    const state = await this.#parts.states.read(round, room, window, range, summary?.heroes ?? []);
    const isEmpty =
      window.events.length === 0 &&
      !window.limited &&
      state.pieces.length === 0 &&
      extras.ephemeral.length === 0 &&
      extras.accountData.length === 0 &&
      extras.sticky.length === 0 &&
      !extras.unreadChanged &&
      !summary;
    if (isEmpty && !isNew && !request.fullState) return undefined;
    return {
      pieces: [
        summary ? `{"summary":${summaryText(summary)},` : "{",
        `"${request.stateSection}":{"events":[`,
        ...state.pieces,
        "]},",
        ...(shared
          ? timelineMember(shared.text, window)
          : await timelinePieces(this.#parts.presenter, view, window, round)),
        `,"ephemeral":{"events":[${extras.ephemeral.join(",")}]},"account_data":{"events":[${extras.accountData.join(",")}]}`,
        await this.#stickyText(view, window, extras.sticky),
        unreadText(extras.unread, request.filter.timeline.unreadThreadNotifications),
        "}",
      ],
      sent: state.sent,
    };
  }

  /** "If a sticky event appears in the timeline section, it MUST NOT be included in the sticky.events section." */
  async #stickyText(view: RoomView, window: TimelineWindow, sticky: readonly StoredEvent[]): Promise<string> {
    if (sticky.length === 0) return "";
    const shown = new Set(window.events.map(({ eventNid }) => eventNid));
    const others = sticky.filter(({ eventNid }) => !shown.has(eventNid));
    if (others.length === 0) return "";
    const texts = await this.#parts.presenter.present(view, others);
    return `,"msc4354_sticky":{"events":[${texts.join(",")}]}`;
  }

  /** What many readers get alike; `undefined` when it has to be made for this one. */
  async #shared({ request: { filter }, reader, upTo, format }: SyncRound, { roomNid, roomId }: Room) {
    const { timeline } = filter;
    const isWhole = timeline.matchesAll && !timeline.relatedByTypes && !timeline.relatedBySenders;
    if (!isWhole || format || !timeline.matchesRoom(roomId)) return undefined;
    return this.#parts.shared.newest(roomNid, upTo, limitOf(timeline), reader);
  }

  /** What the reader gets of the timeline, and the state after it. */
  async #window(
    round: SyncRound,
    { roomNid, roomId }: Room,
    view: RoomView,
    isNew: boolean,
  ): Promise<{ readonly window: TimelineWindow; readonly end: number | null }> {
    const { request, upTo } = round;
    const { timeline } = request.filter;
    const after = isNew ? startOfTime : (request.since?.position ?? startOfTime);
    const found = timeline.matchesRoom(roomId)
      ? await this.#parts.windows.read(view, roomNid, after, upTo, timeline)
      : emptyWindow(upTo);
    // Who was in the room before has a timeline already, which ends long before these events or holds some of them:
    // a limited one makes clients begin it anew.
    const fresh = isNew && request.since ? { ...found, limited: true } : found;
    const end = fresh.newest ? roomStateAfter(fresh.newest) : await this.#stateAt(roomNid, upTo);
    return { window: await this.#parts.states.windowFor(round, fresh, end), end };
  }

  async #stateAt(roomNid: number, position: number): Promise<number | null> {
    const event = await this.#parts.timelines.at(roomNid, position);
    return event ? roomStateAfter(event) : null;
  }

  async #summary(
    room: Room,
    known: number | null | undefined,
    end: number | null,
    readerNid: number,
  ): Promise<RoomSummary | undefined> {
    if (end === null || known === end) return undefined;
    if (known !== undefined) {
      const entries = await newIn(this.#parts.snapshots, known, end);
      if (!(await this.#parts.summaries.isChangedBy(entries))) return undefined;
    }
    return this.#parts.summaries.of(room.roomNid, end, readerNid);
  }
}

/** The `timeline` member of a room, as JSON. */
export async function timelinePieces(
  presenter: EventPresenter,
  view: RoomView,
  window: TimelineWindow,
  { upTo, format }: SyncRound,
): Promise<JsonPieces> {
  const events = await presenter.present(view, window.events, {
    format,
    // "GET /sync when the relevant section has a limited value of true."
    aggregateUpTo: window.limited ? upTo : undefined,
  });
  return timelineMember(events.join(","), window);
}

function timelineMember(events: string | Buffer, { limited, prevBatch }: TimelineWindow): JsonPieces {
  return [
    `"timeline":{"events":[`,
    events,
    `],"limited":${limited},"prev_batch":"${streamToken(prevBatch)}"}`,
  ];
}

function summaryText({ heroes, joined, invited }: RoomSummary): string {
  return JSON.stringify({
    ...(heroes && { "m.heroes": heroes }),
    "m.joined_member_count": joined,
    "m.invited_member_count": invited,
  });
}

function unreadText(unread: RoomUnreadCounts | undefined, perThread: boolean): string {
  const counts = (of: { notifications: number; highlights: number } | undefined) => ({
    notification_count: of?.notifications ?? 0,
    highlight_count: of?.highlights ?? 0,
  });
  const room = `,"unread_notifications":${JSON.stringify(counts(unread?.room))}`;
  if (!perThread || !unread || unread.threads.size === 0) return room;
  const threads = Object.fromEntries([...unread.threads].map(([rootId, of]) => [rootId, counts(of)]));
  return `${room},"unread_thread_notifications":${JSON.stringify(threads)}`;
}
