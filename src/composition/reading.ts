import { readingHandlers, type ReadingServices } from "../http/handlers/reading.ts";
import type { BoundEndpoint } from "../http/pipeline.ts";
import { Messages } from "../services/reading/messages.ts";
import type { FilterService } from "../services/filters.ts";
import { ReadingAccess, type RoomReading } from "../services/reading/reading-access.ts";
import { noRemoteHistory, type RemoteHistory } from "../services/reading/remote-history.ts";
import { Relations } from "../services/reading/relations.ts";
import { RoomStates } from "../services/reading/room-states.ts";
import { SingleEvents } from "../services/reading/single-events.ts";
import { Threads } from "../services/reading/threads.ts";
import { TimelinePages } from "../services/reading/timeline-pages.ts";
import { WholeAccess } from "../services/reading/whole-access.ts";
import { WholeRooms } from "../services/reading/whole-rooms.ts";
import type { Foundation } from "./foundation.ts";
import type { TimelineParts } from "./timeline.ts";
import type { UserDataParts } from "./user-data.ts";

/** What reads rooms for one user, and the endpoints that do nothing else. */
export interface ReadingParts {
  readonly access: ReadingAccess;
  readonly pages: TimelinePages;
  readonly single: SingleEvents;
  readonly filters: FilterService;
  /** What reads any room as a whole, for administrators. */
  readonly whole: RoomReaders;
  readonly handlers: readonly BoundEndpoint[];
}

/** What reads rooms as far as somebody may read them. */
export type RoomReaders = Pick<ReadingServices, "messages" | "single" | "states">;

/** Reading rooms outside of sync. */
export function composeReading(
  foundation: Foundation,
  timeline: TimelineParts,
  { filters }: UserDataParts,
  history: RemoteHistory = noRemoteHistory,
): ReadingParts {
  const { stores, names, graph, notifier, memberships } = foundation;
  const { rooms, events } = graph;
  const { timelines, views, readers, presenter, aggregations } = timeline;
  const { events: store, relations } = stores;
  const access = new ReadingAccess({
    rooms,
    memberships: stores.memberships,
    live: memberships,
    readers,
    views,
    timelines,
    notifier,
  });
  const readable = composeReaders(foundation, timeline, access, history);
  // What only shows where somebody is in a room waits for no other server, and neither do administrators.
  const pagesHere = new TimelinePages(
    store,
    timelines,
    timeline.filtering,
    noRemoteHistory,
    foundation.clock,
  );
  const wholeAccess = new WholeAccess({ rooms, views, timelines, notifier });
  const whole = composeReaders(foundation, timeline, wholeAccess, noRemoteHistory);
  const { single } = readable;
  const handlers = readingHandlers({
    ...readable,
    relations: new Relations({
      access,
      single,
      store: relations,
      eventStore: store,
      events,
      names,
      presenter,
    }),
    threads: new Threads({ access, single, relations, store, aggregations, presenter }),
    filters,
    memberships,
    rooms,
  });
  return { access, pages: pagesHere, single, filters, whole, handlers };
}

function composeReaders(
  { stores, names, graph, partialRooms, clock }: Foundation,
  { timelines, presenter, members, filtering, pace, stateTexts: texts }: TimelineParts,
  access: RoomReading,
  history: RemoteHistory,
): RoomReaders {
  const { rooms, events, snapshots } = graph;
  const store = stores.events;
  const pages = new TimelinePages(store, timelines, filtering, history, clock);
  return {
    messages: new Messages({ access, pages, presenter, events, members }),
    single: new SingleEvents({
      access,
      pages,
      store,
      rooms,
      events,
      snapshots,
      names,
      presenter,
      members,
      filtering,
      history,
      clock,
    }),
    states: new RoomStates({
      access,
      timelines,
      store,
      texts,
      events,
      snapshots,
      names,
      presenter,
      pace,
      wholeRooms: new WholeRooms(partialRooms, clock),
    }),
  };
}
