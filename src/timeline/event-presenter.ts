import type { RoomIndex } from "../state/room-index.ts";
import type { EventReader } from "../state/event-reader.ts";
import type { EventStore, StoredEvent } from "../storage/events.ts";
import type { NameCache } from "../storage/name-cache.ts";
import type { Clock } from "../telemetry/clock.ts";
import type { Aggregation, Aggregations } from "./aggregations.ts";
import { clientEvent, contentJson, redactionForClients, type Unsigned } from "./client-event.ts";
import type { Erasures } from "./erasures.ts";
import type { EventFormat } from "./event-format.ts";
import type { Reader } from "./reader.ts";
import type { RoomView } from "./room-view.ts";
import type { StickyRooms } from "./sticky-rooms.ts";

export interface PresentOptions {
  /** Set where the answer does not tell the room in another way. */
  readonly roomId?: string | undefined;
  /** Bundles the aggregations of children up to this position. */
  readonly aggregateUpTo?: number | undefined;
  /** Where a filter asks for something other than whole events in the clients' format. */
  readonly format?: EventFormat | undefined;
}

export interface EventPresenterParts {
  readonly store: EventStore;
  readonly events: EventReader;
  readonly names: NameCache;
  readonly rooms: RoomIndex;
  readonly aggregations: Aggregations;
  readonly erasures: Erasures;
  readonly stickyRooms: StickyRooms;
  readonly clock: Clock;
  /** Of `m.room.redaction`. */
  readonly redactionTypeNid: number;
}

/** Makes stored events into what one reader gets, with `unsigned` as the specification has it for them. */
export class EventPresenter {
  readonly #parts: EventPresenterParts;
  /** Whether the device of a reader has sent anything: for the length of an answer. */
  readonly #hasSent = new WeakMap<Reader, Promise<boolean>>();
  /** Readers who have been shown events of their own in this answer. */
  readonly #shownOwn = new WeakSet<Reader>();

  constructor(parts: EventPresenterParts) {
    this.#parts = parts;
  }

  /**
   * @param events of one room, all visible to the reader
   * @returns each event as JSON, in order
   */
  async present(
    view: RoomView,
    events: readonly StoredEvent[],
    options: PresentOptions = {},
  ): Promise<string[]> {
    if (events.length === 0) return [];
    const nowMs = this.#parts.clock.nowMs();
    const transactionIds = await this.#transactionIds(view, events);
    const relations = await this.#relations(view, events, options);
    const memberships = await view.membershipsAt(events);
    const shown = await this.#parts.erasures.shown(view, events);
    const stickyTtls = await this.#parts.stickyRooms.ttls(events[0]?.roomNid ?? 0, events);
    const texts: string[] = [];
    for (const [index, event] of shown.entries()) {
      const { eventId, eventNid, originServerTs, redactedBy, replaces, delayId, senderNid } = event;
      const unsigned: Unsigned = {
        ageMs: nowMs - originServerTs,
        membership: memberships[index],
        transactionId: transactionIds?.get(eventNid),
        delayId: delayId !== null && senderNid === view.reader.userNid ? delayId : undefined,
        stickyTtlMs: stickyTtls?.get(eventNid),
        relations: relations?.get(eventId),
      };
      const isChanged = redactedBy !== null || replaces !== null;
      const all = isChanged ? { ...unsigned, ...(await this.#history(view, event)) } : unsigned;
      texts.push(this.#text(event, all, options));
    }
    return texts;
  }

  /**
   * Events of one room as everybody gets them who was joined to it all along, and has sent none of them from where they
   * read.
   * @returns `undefined` where it depends on the reader what an event looks like
   */
  async presentToMembers(events: readonly StoredEvent[]): Promise<string[] | undefined> {
    const { erasures, stickyRooms, aggregations, clock } = this.#parts;
    const isPlain = events.every(({ replaces, delayId }) => replaces === null && delayId === null);
    if (!isPlain || erasures.concern(events) || stickyRooms.has(events[0]?.roomNid ?? 0)) return undefined;
    if (await aggregations.areAny(events)) return undefined;
    const nowMs = clock.nowMs();
    const texts: string[] = [];
    for (const event of events) {
      const unsigned: Unsigned = { ageMs: nowMs - event.originServerTs, membership: "join" };
      const isRedacted = event.redactedBy !== null;
      texts.push(
        this.#text(
          event,
          isRedacted ? { ...unsigned, ...(await this.#history(undefined, event)) } : unsigned,
          {},
        ),
      );
    }
    return texts;
  }

  /**
   * An event as those get it who observe a room without being anybody in it, and see all of it.
   * @param inviteRoomState stripped state to go with an invite, as JSON
   */
  async presentToObserver(event: StoredEvent, inviteRoomState?: string): Promise<string> {
    const { roomId } = await this.#parts.rooms.byNid(event.roomNid);
    const ageMs = this.#parts.clock.nowMs() - event.originServerTs;
    const history = await this.#history(undefined, event);
    return this.#text(event, { ageMs, ...history, inviteRoomState }, { roomId });
  }

  /** State events as the same text for everybody: without `unsigned`, except for what a redaction leaves. */
  async presentState(events: readonly StoredEvent[], roomId?: string): Promise<string[]> {
    const texts: string[] = [];
    for (const event of events) {
      const redactedBecause =
        event.redactedBy === null ? undefined : await this.#redactedBecause(event.redactedBy);
      texts.push(clientEvent(event, { redactedBecause }, roomId));
    }
    return texts;
  }

  #text(event: StoredEvent, unsigned: Unsigned, { roomId, format }: PresentOptions): string {
    const isRedaction = event.typeNid === this.#parts.redactionTypeNid && event.pairNid === null;
    const shown = isRedaction ? { ...event, common: redactionForClients(event.common) } : event;
    const text = clientEvent(shown, unsigned, roomId);
    return format ? format.apply(event, text) : text;
  }

  /**
   * What became of the event, and what was in its place before.
   * @param view absent for those who see all
   */
  async #history(view: RoomView | undefined, event: StoredEvent): Promise<Unsigned> {
    const redaction = event.redactedBy === null ? undefined : await this.#redactedBecause(event.redactedBy);
    if (event.replaces === null) return { redactedBecause: redaction };
    const stored = await this.#parts.events.stored(event.replaces);
    const [previous = stored] = view ? await this.#parts.erasures.shown(view, [stored]) : [];
    const maySee = view === undefined || (await view.maySee(previous));
    return {
      redactedBecause: redaction,
      replacesState: previous.eventId,
      prevContent: maySee ? contentJson(previous.common) : undefined,
      prevSender: maySee ? await this.#parts.names.userId(previous.senderNid) : undefined,
    };
  }

  async #redactedBecause(redactionNid: number): Promise<string> {
    const redaction = await this.#parts.events.stored(redactionNid);
    const { roomId } = await this.#parts.rooms.byNid(redaction.roomNid);
    const ageMs = this.#parts.clock.nowMs() - redaction.originServerTs;
    const common = redactionForClients(redaction.common);
    return clientEvent({ eventId: redaction.eventId, common }, { ageMs }, roomId);
  }

  /** Whether a reader's device has sent anything of late. A first sync shows in all rooms what its user has said elsewhere. */
  hasSent(reader: Reader): Promise<boolean> {
    const known = this.#hasSent.get(reader);
    if (known) return known;
    const asking = this.#parts.store.hasTransactions(reader.userNid, reader.deviceId);
    this.#hasSent.set(reader, asking);
    return asking;
  }

  async #transactionIds({ reader }: RoomView, events: readonly StoredEvent[]) {
    const { userNid, deviceId } = reader;
    const own = events.filter(({ senderNid }) => senderNid === userNid);
    if (own.length === 0) return undefined;
    // Of one room it is asked at once; whoever reads many asks first whether there is anything to find.
    if (this.#shownOwn.has(reader) && !(await this.hasSent(reader))) return undefined;
    this.#shownOwn.add(reader);
    return this.#parts.store.transactionIds(
      userNid,
      deviceId,
      own.map(({ eventNid }) => eventNid),
    );
  }

  /** The bundled aggregations, as JSON by event ID. */
  async #relations(view: RoomView, events: readonly StoredEvent[], options: PresentOptions) {
    if (options.aggregateUpTo === undefined) return undefined;
    const aggregations = await this.#parts.aggregations.of(view, events, options.aggregateUpTo);
    if (aggregations.size === 0) return undefined;
    const texts = new Map<string, string>();
    for (const [eventId, aggregation] of aggregations) {
      texts.set(eventId, await this.#aggregationText(view, aggregation, options));
    }
    return texts;
  }

  async #aggregationText(view: RoomView, aggregation: Aggregation, options: PresentOptions): Promise<string> {
    const { replacement, thread, references } = aggregation;
    const members: string[] = [];
    if (replacement) {
      const [text] = await this.present(view, [replacement], { ...options, aggregateUpTo: undefined });
      members.push(`"m.replace":${text}`);
    }
    if (thread) {
      // A reply in a thread is no root of another, so this goes no deeper than one step.
      const [latest] = await this.present(view, [thread.latest], options);
      members.push(
        `"m.thread":{"latest_event":${latest},"count":${thread.count},"current_user_participated":${thread.participated}}`,
      );
    }
    if (references) {
      const chunk = references.map((eventId) => ({ event_id: eventId }));
      members.push(`"m.reference":${JSON.stringify({ chunk })}`);
    }
    return `{${members.join(",")}}`;
  }
}
