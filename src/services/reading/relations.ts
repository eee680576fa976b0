import { MatrixError } from "../../protocol/matrix-error.ts";
import type { EventReader } from "../../state/event-reader.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import type { Room } from "../../state/room-index.ts";
import type { EventStore, StoredEvent } from "../../storage/events.ts";
import type { ChildQuery, RelationStore } from "../../storage/relations.ts";
import type { EventPresenter } from "../../timeline/event-presenter.ts";
import type { Reader } from "../../timeline/reader.ts";
import { startOfTime } from "../../timeline/room-timelines.ts";
import { GapWalk } from "./gap-walk.ts";
import type { ReadingAccess } from "./reading-access.ts";
import type { HistoryForRequest } from "./remote-history.ts";
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

type WantedChildren = Omit<ChildQuery, "typeNid"> & { readonly eventType: string | undefined };

interface ChildPage {
  readonly nids: readonly number[];
  /** Position to read on from; `undefined` when there is nothing more. */
  readonly next: number | undefined;
}

export interface RelationsParts {
  readonly access: ReadingAccess;
  readonly single: SingleEvents;
  readonly store: RelationStore;
  readonly eventStore: Pick<EventStore, "gaps">;
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
    const { access, single, events, presenter } = this.#parts;
    const readable = await access.find(roomId, user);
    const history = single.historyForRequest();
    const target = readable && (await single.reached(readable, eventId, history));
    if (!readable || !target || target === "pending") {
      throw new MatrixError("M_NOT_FOUND", "There is no such event in this room that you may see");
    }
    const { room, view, until } = readable;
    const isBackwards = query.direction === "b";
    const wanted: WantedChildren = {
      roomNid: room.roomNid,
      targetId: eventId,
      relation: query.relation ?? null,
      eventType: query.eventType,
      maxDepth: query.recurse ? recursionDepth : 1,
      after: (isBackwards ? query.to : query.from) ?? startOfTime,
      upTo: Math.min((isBackwards ? query.from : query.to) ?? until, until),
      newestFirst: isBackwards,
      limit: Math.max(1, Math.min(query.limit ?? defaultLimit, maxLimit)),
    };
    const { nids, next } = isBackwards
      ? await this.#newestAcrossGaps(wanted, target, room, history)
      : await this.#page(wanted);
    const chunk = await presenter.present(view, await view.visible(await events.storedAll(nids)), {
      roomId: room.roomId,
      aggregateUpTo: until,
    });
    return { chunk, next };
  }

  /** What is missing between the children that are here is got from other servers, as far as their target. */
  async #newestAcrossGaps(
    wanted: WantedChildren,
    target: StoredEvent,
    room: Room,
    history: HistoryForRequest,
  ): Promise<ChildPage> {
    const oldest = Math.max(wanted.after, target.position ?? wanted.after);
    const walk = new GapWalk(this.#parts.eventStore, room, history, { after: oldest, upTo: wanted.upTo });
    const nids: number[] = [];
    for (let { upTo } = wanted; ; ) {
      const floor = await walk.floor();
      const limit = wanted.limit - nids.length;
      const page = await this.#page({ ...wanted, after: floor ?? wanted.after, upTo, limit });
      nids.push(...page.nids);
      if (page.next !== undefined || floor === undefined) return { nids, next: page.next };
      if (nids.length === wanted.limit || !(await walk.goOn())) return { nids, next: floor };
      upTo = floor;
    }
  }

  async #page(wanted: WantedChildren): Promise<ChildPage> {
    const { store, events } = this.#parts;
    const { limit, newestFirst } = wanted;
    const typeNid = await this.#typeNid(wanted.eventType);
    if (typeNid === undefined || limit === 0) return { nids: [], next: undefined };
    const found = await store.children({ ...wanted, typeNid, limit: limit + 1 });
    const nids = found.slice(0, limit);
    const [last] = found.length > limit ? await events.storedAll(nids.slice(-1)) : [];
    const position = last?.position;
    if (position === undefined || position === null) return { nids, next: undefined };
    return { nids, next: newestFirst ? position - 1 : position };
  }

  /** `null` for any type; `undefined` for one that no event has. */
  async #typeNid(eventType: string | undefined): Promise<number | null | undefined> {
    return eventType === undefined ? null : this.#parts.names.findEventType(eventType);
  }
}
