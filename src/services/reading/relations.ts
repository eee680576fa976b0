import { MatrixError } from "../../protocol/matrix-error.ts";
import type { EventReader } from "../../state/event-reader.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import type { RelationStore } from "../../storage/relations.ts";
import type { EventPresenter } from "../../timeline/event-presenter.ts";
import type { Reader } from "../../timeline/reader.ts";
import { startOfTime } from "../../timeline/room-timelines.ts";
import type { ReadingAccess } from "./reading-access.ts";
import type { SingleEvents } from "./single-events.ts";
import type { Direction } from "./timeline-pages.ts";

export interface RelationsQuery {
  readonly relation: string | undefined;
  readonly eventType: string | undefined;
  readonly direction: Direction;
  readonly from: number | undefined;
  readonly to: number | undefined;
  readonly limit: number | undefined;
  readonly recurse: boolean;
}

export interface RelationsPage {
  /** Events as JSON. */
  readonly chunk: readonly string[];
  /** Position to read on from; `undefined` when there is nothing more. */
  readonly next: number | undefined;
}

const defaultLimit = 20;
const maxLimit = 500;
/** "Homeservers SHOULD traverse at least 3 levels of relationships." */
export const recursionDepth = 3;

export interface RelationsParts {
  readonly access: ReadingAccess;
  readonly single: SingleEvents;
  readonly store: RelationStore;
  readonly events: EventReader;
  readonly names: NameCache;
  readonly presenter: EventPresenter;
}

/** The children of events (client-server API, "Relationships API"). */
export class Relations {
  readonly #parts: RelationsParts;

  constructor(parts: RelationsParts) {
    this.#parts = parts;
  }

  /** @throws MatrixError M_NOT_FOUND when there is no such event that the user may see */
  async children(
    roomId: string,
    user: Omit<Reader, "ignored">,
    eventId: string,
    query: RelationsQuery,
  ): Promise<RelationsPage> {
    const { access, single, store, events, presenter } = this.#parts;
    const readable = await access.find(roomId, user);
    if (!readable || !(await single.visible(readable, eventId))) {
      throw new MatrixError("M_NOT_FOUND", "There is no such event in this room that you may see");
    }
    const { room, view, until } = readable;
    const typeNid = await this.#typeNid(query.eventType);
    if (typeNid === undefined) return { chunk: [], next: undefined };
    const isBackwards = query.direction === "b";
    const limit = Math.max(1, Math.min(query.limit ?? defaultLimit, maxLimit));
    const nids = await store.children({
      roomNid: room.roomNid,
      targetId: eventId,
      relation: query.relation ?? null,
      typeNid,
      maxDepth: query.recurse ? recursionDepth : 1,
      after: (isBackwards ? query.to : query.from) ?? startOfTime,
      upTo: Math.min((isBackwards ? query.from : query.to) ?? until, until),
      newestFirst: isBackwards,
      limit: limit + 1,
    });
    const page = await events.storedAll(nids.slice(0, limit));
    const last = nids.length > limit ? page.at(-1)?.position : undefined;
    return {
      chunk: await presenter.present(view, await view.visible(page), {
        roomId: room.roomId,
        aggregateUpTo: until,
      }),
      next: last === undefined || last === null ? undefined : isBackwards ? last - 1 : last,
    };
  }

  /** `null` for any type; `undefined` for one that no event has. */
  async #typeNid(eventType: string | undefined): Promise<number | null | undefined> {
    return eventType === undefined ? null : this.#parts.names.findEventType(eventType);
  }
}
