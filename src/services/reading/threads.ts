import type { EventStore, StoredEvent } from "../../storage/events.ts";
import type { RelationStore, ThreadRow } from "../../storage/relations.ts";
import type { Aggregations } from "../../timeline/aggregations.ts";
import { redactedCommon } from "../../timeline/client-event.ts";
import type { EventPresenter } from "../../timeline/event-presenter.ts";
import type { Reader } from "../../timeline/reader.ts";
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

export interface ThreadsParts {
  readonly access: ReadingAccess;
  readonly relations: RelationStore;
  readonly store: EventStore;
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
    const chunk: string[] = [];
    let before = Math.min(query.from ?? until, until) + 1;
    for (let reads = 0; reads < maxReads; reads++) {
      const rows = await this.#parts.relations.threads(room.roomNid, before, limit + 1);
      for (const row of rows) {
        if (chunk.length === limit) return { chunk, next: before - 1 };
        const text = await this.#root(readable, row, query.include);
        if (text !== undefined) chunk.push(text);
        before = row.latestPosition;
      }
      if (rows.length <= limit) return { chunk, next: undefined };
    }
    return { chunk, next: before - 1 };
  }

  /** A thread's root as JSON, if the reader may see it and wants the thread. */
  async #root(
    readable: ReadableRoom,
    { rootId }: ThreadRow,
    include: ThreadsQuery["include"],
  ): Promise<string | undefined> {
    const { store, aggregations, presenter } = this.#parts;
    const { room, view, until } = readable;
    const root = await store.byId(rootId);
    if (!root || root.roomNid !== room.roomNid || !(await view.maySee(root))) return undefined;
    const thread = (await aggregations.of(view, [root], until)).get(rootId)?.thread;
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
