import type { LiveMemberships } from "../notifier/live-memberships.ts";
import type { Notifier } from "../notifier/notifier.ts";
import type { ReadingAccess } from "../services/reading/reading-access.ts";
import type { RoomIndex } from "../state/room-index.ts";
import type { EventReader } from "../state/event-reader.ts";
import type { EventStore, StoredEvent } from "../storage/events.ts";
import type { MembershipLogRow, MembershipStore } from "../storage/memberships.ts";
import type { NameCache } from "../storage/name-cache.ts";
import type { RoomStore } from "../storage/rooms.ts";
import type { Pace } from "../telemetry/pace.ts";
import type { EventPresenter } from "../timeline/event-presenter.ts";
import type { Readers } from "../timeline/readers.ts";
import type { RoomView, RoomViews } from "../timeline/room-view.ts";
import { hiddenInvites, type InvitePreferences, isHidden } from "./hidden-invites.ts";
import type { LongPolls } from "./long-poll.ts";
import type { SyncDevice } from "./sync-request.ts";

export interface EventStreamParts {
  readonly notifier: Notifier;
  readonly liveMemberships: LiveMemberships;
  readonly longPolls: LongPolls;
  readonly store: Pick<EventStore, "timelineForwards">;
  readonly roomStore: Pick<RoomStore, "joinedWithEventsAfter">;
  readonly memberships: Pick<MembershipStore, "changes">;
  readonly rooms: RoomIndex;
  readonly events: EventReader;
  readonly access: ReadingAccess;
  readonly views: RoomViews;
  readonly readers: Readers;
  readonly presenter: EventPresenter;
  readonly accountData: InvitePreferences;
  readonly names: Pick<NameCache, "userId">;
  readonly pace: Pace;
}

export interface StreamedEvents {
  /** Positions: what was asked for, and from where to ask on. */
  readonly start: number;
  readonly end: number;
  /** Events as JSON, oldest first. */
  readonly chunk: readonly string[];
}

/** What one room has to tell. */
interface RoomNews {
  readonly roomId: string;
  readonly view: RoomView;
  readonly events: readonly StoredEvent[];
  /** Everything up to here is among the events, or is not for the reader. */
  readonly upTo: number;
}

/** Those who say nothing wait for so long. */
const defaultTimeoutMs = 5_000;
const maxTimeoutMs = 60_000;
const maxEvents = 100;
/** Events that are read for one answer, of all rooms together; of each room a few at least. */
const maxRead = 1_000;
const minReadOfRoom = 10;

/** Events one after the other, of all of a user's rooms or of one: what there was before /sync, and for peeking. */
export class EventStream {
  readonly #parts: EventStreamParts;

  constructor(parts: EventStreamParts) {
    this.#parts = parts;
  }

  /**
   * Answers with the events after a position, at once or as soon as there is one.
   * @param from now, when absent
   * @param peekedRoomId the only room of interest, for its members and wherever it is world-readable
   * @param signal aborted when the client has gone away
   * @throws MatrixError M_FORBIDDEN for a room that the user may not read
   */
  async after(
    device: SyncDevice,
    from: number | undefined,
    timeoutMs: number | undefined,
    peekedRoomId: string | undefined,
    signal: AbortSignal,
  ): Promise<StreamedEvents> {
    const start = from ?? this.#parts.notifier.position;
    const peeked =
      peekedRoomId === undefined ? undefined : (await this.#parts.access.open(peekedRoomId, device)).room;
    const attempt = async () => {
      await this.#parts.liveMemberships.load(device.userNid);
      const upTo = this.#parts.notifier.position;
      const news = peeked
        ? [await this.#ofRoom(device, peeked.roomId, start, upTo)]
        : await this.#ofUser(device, start, upTo);
      return this.#answer(
        news.filter((room) => room !== undefined),
        start,
        upTo,
      );
    };
    const wait = Math.min(timeoutMs ?? defaultTimeoutMs, maxTimeoutMs);
    return this.#parts.longPolls.answer(device, wait, signal, attempt, peeked?.roomNid);
  }

  /** Of rooms that the user is in or has been, and of their own memberships elsewhere. */
  async #ofUser(device: SyncDevice, start: number, upTo: number): Promise<(RoomNews | undefined)[]> {
    const { memberships, roomStore, rooms } = this.#parts;
    const changes = await memberships.changes(device.userNid, start, upTo);
    const byRoom = Map.groupBy(changes, ({ roomNid }) => roomNid);
    const joined = await roomStore.joinedWithEventsAfter(device.userNid, start);
    const changed = new Set([...joined, ...byRoom.keys()]);
    const limit = Math.min(maxEvents, Math.max(minReadOfRoom, Math.ceil(maxRead / changed.size)));
    const news: (RoomNews | undefined)[] = [];
    for (const roomNid of changed) {
      await this.#parts.pace.breathe();
      const { roomId } = await rooms.byNid(roomNid);
      const readable = await this.#ofRoom(device, roomId, start, upTo, limit);
      news.push(readable ?? (await this.#ownMemberships(device, roomId, byRoom.get(roomNid) ?? [], upTo)));
    }
    return news;
  }

  /** `undefined` for a room that the user may not read. */
  async #ofRoom(
    device: SyncDevice,
    roomId: string,
    start: number,
    upTo: number,
    limit = maxEvents,
  ): Promise<RoomNews | undefined> {
    const readable = await this.#parts.access.find(roomId, device);
    if (!readable) return undefined;
    const { room, view, until } = readable;
    const events = await this.#parts.store.timelineForwards(
      room.roomNid,
      start,
      Math.min(upTo, until),
      limit,
    );
    const end = events.length < limit ? upTo : (events.at(-1)?.position ?? upTo);
    return { roomId, view, events: await view.visible(events), upTo: end };
  }

  /** Invitations, and what became of them. */
  async #ownMemberships(
    device: SyncDevice,
    roomId: string,
    changes: readonly MembershipLogRow[],
    upTo: number,
  ): Promise<RoomNews | undefined> {
    const { events, views, readers, accountData, names } = this.#parts;
    const [first] = changes;
    if (!first) return undefined;
    const reader = await readers.of(device);
    const hidden = await hiddenInvites(reader, accountData);
    const invites = new Set(changes.flatMap((row) => (row.membership === "invite" ? [row.eventNid] : [])));
    const shown: StoredEvent[] = [];
    for (const member of await events.storedAll(changes.map(({ eventNid }) => eventNid))) {
      const { eventNid, senderNid } = member;
      const isKeptBack = invites.has(eventNid)
        ? isHidden(hidden, senderNid, await names.userId(senderNid))
        : reader.ignored.has(senderNid);
      if (!isKeptBack) shown.push(member);
    }
    return { roomId, view: views.of(first.roomNid, reader), events: shown, upTo };
  }

  async #answer(news: readonly RoomNews[], start: number, upTo: number) {
    const known = Math.min(upTo, ...news.map((room) => room.upTo));
    const all = news
      .flatMap(({ events, view, roomId }) => events.map((event) => ({ event, view, roomId })))
      .filter(({ event }) => (event.position ?? 0) <= known)
      .sort((a, b) => (a.event.position ?? 0) - (b.event.position ?? 0));
    const page = all.slice(0, maxEvents);
    const chunk: string[] = [];
    for (const { event, view, roomId } of page) {
      chunk.push(...(await this.#parts.presenter.present(view, [event], { roomId })));
    }
    const end = page.length < all.length ? (page.at(-1)?.event.position ?? known) : known;
    return { start, end: Math.max(start, end), chunk, isEmpty: chunk.length === 0 && end >= upTo, upTo };
  }
}
