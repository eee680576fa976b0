import type { EventStore, StoredEvent } from "../../storage/events.ts";
import type { RelationStore } from "../../storage/relations.ts";
import type { Aggregations } from "../../timeline/aggregations.ts";
import { redactedCommon } from "../../timeline/client-event.ts";
import type { EventPresenter } from "../../timeline/event-presenter.ts";
import type { Reader } from "../../timeline/reader.ts";
import { startOfTime } from "../../timeline/room-timelines.ts";
import { GapWalk } from "./gap-walk.ts";
import type { HistoryForRequest } from "./remote-history.ts";
import type { SingleEvents } from "./single-events.ts";
import type { ReadableRoom, ReadingAccess } from "./reading-access.ts";

export interface ThreadsQuery {
  readonly include: "all" | "participated";
  /** Position of a token. */
  readonly from: number | undefined;
  readonly limit: number | undefined;
}

export interface ThreadsPage {
  /** Thread roots as JSON. */
  readonly chunk: readonly string[];
  /** Position to read on from; `undefined` when there is nothing more. */
  readonly next: number | undefined;
}

const defaultLimit = 20;
const maxLimit = 100;
/** Pages of threads that are left out, one after the other, take this many reads at most. */
const maxReads = 10;

/** What a page has come to. */
interface Progress {
  readonly chunk: string[];
  readonly limit: number;
  /** Threads whose newest reply is here or later have been read. */
  before: number;
}

export interface ThreadsParts {
  readonly access: ReadingAccess;
  readonly relations: RelationStore;
  readonly single: SingleEvents;
  readonly store: Pick<EventStore, "gaps">;
  readonly aggregations: Aggregations;
  readonly presenter: EventPresenter;
}

/** The threads of a room (client-server API, "Querying threads in a room"). */
export class Threads {
  readonly #parts: ThreadsParts;

  constructor(parts: ThreadsParts) {
    this.#parts = parts;
  }

  /** @throws MatrixError M_FORBIDDEN for those who may not read the room */
  async page(roomId: string, user: Omit<Reader, "ignored">, query: ThreadsQuery): Promise<ThreadsPage> {
    const readable = await this.#parts.access.open(roomId, user);
    const { room, until } = readable;
    const limit = Math.max(1, Math.min(query.limit ?? defaultLimit, maxLimit));
    const history = this.#parts.single.historyForRequest();
    const upTo = Math.min(query.from ?? until, until);
    const walk = new GapWalk(this.#parts.store, room, history, { after: startOfTime, upTo });
    const page: Progress = { chunk: [], limit, before: upTo + 1 };
    for (;;) {
      const floor = await walk.floor();
      const isEnded = await this.#readDownTo(floor ?? startOfTime, readable, query.include, page, history);
      if (!isEnded) return { chunk: page.chunk, next: page.before - 1 };
      if (floor === undefined) return { chunk: page.chunk, next: undefined };
      page.before = floor + 1;
      if (page.chunk.length === limit || !(await walk.goOn())) return { chunk: page.chunk, next: floor };
    }
  }

  /** @returns whether there are no more threads after a position; false, too, when the page is full or a root is waited for */
  async #readDownTo(
    floor: number,
    readable: ReadableRoom,
    include: ThreadsQuery["include"],
    page: Progress,
    history: HistoryForRequest,
  ): Promise<boolean> {
    const { limit, chunk } = page;
    for (let reads = 0; reads < maxReads; reads++) {
      const rows = await this.#parts.relations.threads(readable.room.roomNid, page.before, limit + 1);
      for (const row of rows) {
        if (row.latestPosition <= floor) return true;
        if (chunk.length === limit) return false;
        const root = await this.#parts.single.reached(readable, row.rootId, history);
        if (root === "pending") return false;
        const text = root && (await this.#root(readable, root, include));
        if (text !== undefined) chunk.push(text);
        page.before = row.latestPosition;
      }
      if (rows.length <= limit) return true;
    }
    return false;
  }

  /** A thread's root as JSON, if the reader wants the thread. */
  async #root(
    readable: ReadableRoom,
    root: StoredEvent,
    include: ThreadsQuery["include"],
  ): Promise<string | undefined> {
    const { aggregations, presenter } = this.#parts;
    const { room, view, until } = readable;
    const thread = (await aggregations.of(view, [root], until)).get(root.eventId)?.thread;
    if (!thread || (include === "participated" && !thread.participated)) return undefined;
    const shown = view.isIgnored(root) ? this.#withoutContent(readable, root) : root;
    const [text] = await presenter.present(view, [shown], { roomId: room.roomId, aggregateUpTo: until });
    return text;
  }

  /** "If the thread root event was sent by an ignored user, the event is returned redacted to the caller." */
  #withoutContent({ room }: ReadableRoom, root: StoredEvent): StoredEvent {
    return { ...root, common: redactedCommon(room.version, root.common) };
  }
}
