import { MatrixError } from "../../protocol/matrix-error.ts";
import type { EventReader } from "../../state/event-reader.ts";
import type { EventFilter } from "../../sync/event-filter.ts";
import type { EventPresenter } from "../../timeline/event-presenter.ts";
import type { MemberEvents } from "../../timeline/member-events.ts";
import type { Reader } from "../../timeline/reader.ts";
import { roomStateAfter, startOfTime } from "../../timeline/room-timelines.ts";
import type { RoomReading } from "./reading-access.ts";
import type { Direction, TimelinePages } from "./timeline-pages.ts";

export interface MessagesQuery {
  readonly direction: Direction | undefined;
  /** Position of a token; `undefined` for the end that the direction leads away from. */
  readonly from: number | undefined;
  readonly to: number | undefined;
  readonly limit: number | undefined;
  readonly filter: EventFilter;
}

/** Events as JSON. */
export interface MessagesPage {
  readonly chunk: readonly string[];
  readonly state: readonly string[];
  readonly start: number;
  /** `undefined` when there is nothing more. */
  readonly end: number | undefined;
}

const defaultLimit = 10;
const maxLimit = 1000;

export interface MessagesParts {
  readonly access: RoomReading;
  readonly pages: TimelinePages;
  readonly presenter: EventPresenter;
  readonly events: EventReader;
  readonly members: MemberEvents;
}

/** Pages of a room's timeline (client-server API, "Getting events for a room"). */
export class Messages {
  readonly #parts: MessagesParts;

  constructor(parts: MessagesParts) {
    this.#parts = parts;
  }

  /** @throws MatrixError M_FORBIDDEN for those who may not read the room, M_MISSING_PARAM without a direction */
  async page(roomId: string, user: Omit<Reader, "ignored">, query: MessagesQuery): Promise<MessagesPage> {
    const readable = await this.#parts.access.open(roomId, user);
    const { until, view, room } = readable;
    const { direction, from, to, filter } = query;
    if (direction === undefined) throw new MatrixError("M_MISSING_PARAM", "Missing dir");
    const isBackwards = direction === "b";
    const range = {
      direction,
      after: (isBackwards ? to : from) ?? startOfTime,
      upTo: (isBackwards ? from : to) ?? until,
      limit: limitOf(filter.limit, query.limit),
    };
    const { events, next } = await this.#parts.pages.read(readable, range, filter);
    const options = { roomId: room.roomId, aggregateUpTo: until };
    const [first] = events;
    const members =
      first && filter.lazyLoadMembers
        ? await this.#parts.members.of(roomStateAfter(first), events)
        : new Map<number, number>();
    const memberEvents = await this.#parts.events.storedAll([...members.values()]);
    return {
      chunk: await this.#parts.presenter.present(view, events, options),
      state: await this.#parts.presenter.presentState(memberEvents, room.roomId),
      start: from ?? (isBackwards ? until : 0),
      end: next,
    };
  }
}

/** The lower one counts when both a filter and a request have a limit. */
function limitOf(ofFilter: number | undefined, ofRequest: number | undefined): number {
  const wanted = Math.min(ofFilter ?? ofRequest ?? defaultLimit, ofRequest ?? ofFilter ?? defaultLimit);
  return Math.max(1, Math.min(wanted, maxLimit));
}
