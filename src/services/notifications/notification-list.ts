import type { CompiledRuleset } from "../../protocol/push/ruleset.ts";
import type { EventReader } from "../../state/event-reader.ts";
import type { RoomIndex } from "../../state/room-index.ts";
import type { EventStore, StoredEvent } from "../../storage/events.ts";
import type { EventPresenter } from "../../timeline/event-presenter.ts";
import type { Reader } from "../../timeline/reader.ts";
import type { Readers } from "../../timeline/readers.ts";
import type { RoomViews } from "../../timeline/room-view.ts";
import type { ThreadSubscriptions } from "../thread-subscriptions.ts";
import type { PushRuleService } from "../push-rules.ts";
import type { PushEvents } from "./push-events.ts";
import type { RoomStanding, RoomStandings } from "./room-standings.ts";

export interface NotificationListParts {
  readonly store: Pick<EventStore, "placesInJoinedRooms">;
  readonly events: EventReader;
  readonly rooms: RoomIndex;
  readonly pushEvents: PushEvents;
  readonly pushRules: PushRuleService;
  readonly threads: Pick<ThreadSubscriptions, "inThread">;
  readonly standings: RoomStandings;
  readonly readers: Readers;
  readonly views: RoomViews;
  readonly presenter: EventPresenter;
}

export interface NotificationQuery {
  /** The newest position to look at. */
  readonly from: number;
  readonly limit: number;
  readonly highlightsOnly: boolean;
}

export interface NotificationPage {
  /** JSON objects, the newest first. */
  readonly notifications: readonly string[];
  /** The position to go on from; `undefined` when there is nothing more. */
  readonly next: number | undefined;
}

const pageSize = 200;
/** A page ends after so many events even when few of them notify: the next one goes on from there. */
const maxPages = 5;

/** The events that have notified a user, or would have (client-server API, "Listing Notifications"). */
export class NotificationList {
  readonly #parts: NotificationListParts;

  constructor(parts: NotificationListParts) {
    this.#parts = parts;
  }

  async page(user: Omit<Reader, "ignored">, query: NotificationQuery): Promise<NotificationPage> {
    const search = new Search(
      this.#parts,
      await this.#parts.readers.of(user),
      query,
      await this.#rulesOf(user),
    );
    let from = query.from;
    for (let pages = 0; pages < maxPages; pages++) {
      const places = await this.#parts.store.placesInJoinedRooms(user.userNid, from, pageSize);
      for (const event of await this.#parts.events.storedAll(places.map(({ eventNid }) => eventNid))) {
        await search.look(event);
        if (search.found.length === query.limit) return { notifications: search.found, next: before(event) };
      }
      const last = places.at(-1);
      if (!last || places.length < pageSize) return { notifications: search.found, next: undefined };
      from = last.position - 1;
    }
    return { notifications: search.found, next: from };
  }

  #rulesOf({ userNid }: Omit<Reader, "ignored">): Promise<CompiledRuleset> {
    return this.#parts.pushRules.compiledFor(userNid);
  }
}

/** One look through a user's events. */
class Search {
  readonly found: string[] = [];
  readonly #parts: NotificationListParts;
  readonly #reader: Reader;
  readonly #query: NotificationQuery;
  readonly #rules: CompiledRuleset;
  readonly #standings = new Map<number, RoomStanding | undefined>();

  constructor(
    parts: NotificationListParts,
    reader: Reader,
    query: NotificationQuery,
    rules: CompiledRuleset,
  ) {
    this.#parts = parts;
    this.#reader = reader;
    this.#query = query;
    this.#rules = rules;
  }

  /** Adds an event if it notifies. */
  async look(stored: StoredEvent): Promise<void> {
    const { userNid, userId, ignored } = this.#reader;
    const { senderNid, roomNid, redactedBy } = stored;
    if (senderNid === userNid || ignored.has(senderNid) || redactedBy !== null) return;
    const standing = await this.#standing(roomNid);
    const position = stored.position ?? 0;
    if (!standing || position <= standing.marks.joinedAt) return;
    const { event, thread } = await this.#parts.pushEvents.of(stored.eventNid);
    const user = { userId, displayName: standing.displayName };
    const reader = await this.#parts.threads.inThread(user, userNid, roomNid, thread);
    const outcome = this.#rules.evaluate(event, reader);
    if (!outcome?.notify || (this.#query.highlightsOnly && !outcome.highlight)) return;
    const view = this.#parts.views.of(roomNid, this.#reader);
    const [text] = await this.#parts.presenter.present(view, [stored]);
    const { roomId } = await this.#parts.rooms.byNid(roomNid);
    const read = position <= standing.marks.upTo(thread);
    this.found.push(
      `{"actions":${JSON.stringify(outcome.actions)},"event":${text},"read":${read},` +
        `"room_id":${JSON.stringify(roomId)},"ts":${stored.originServerTs}}`,
    );
  }

  async #standing(roomNid: number): Promise<RoomStanding | undefined> {
    if (this.#standings.has(roomNid)) return this.#standings.get(roomNid);
    const standing = await this.#parts.standings.of(this.#reader.userNid, roomNid);
    this.#standings.set(roomNid, standing);
    return standing;
  }
}

function before({ position }: StoredEvent): number {
  return (position ?? 0) - 1;
}
