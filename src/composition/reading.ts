import { readingHandlers } from "../http/handlers/reading.ts";
import type { BoundEndpoint } from "../http/pipeline.ts";
import { Messages } from "../services/reading/messages.ts";
import { ReadingAccess } from "../services/reading/reading-access.ts";
import { noRemoteHistory, type RemoteHistory } from "../services/reading/remote-history.ts";
import { Relations } from "../services/reading/relations.ts";
import { RoomStates } from "../services/reading/room-states.ts";
import { SingleEvents } from "../services/reading/single-events.ts";
import { Threads } from "../services/reading/threads.ts";
import { TimelinePages } from "../services/reading/timeline-pages.ts";
import { WholeRooms } from "../services/reading/whole-rooms.ts";
import type { Foundation } from "./foundation.ts";
import type { TimelineParts } from "./timeline.ts";
import type { UserDataParts } from "./user-data.ts";

/** What reads rooms for one user, and the endpoints that do nothing else. */
export interface ReadingParts {
  readonly access: ReadingAccess;
  readonly pages: TimelinePages;
  readonly single: SingleEvents;
  readonly handlers: readonly BoundEndpoint[];
}

/** Reading rooms outside of sync. */
export function composeReading(
  { stores, names, graph, notifier, memberships, partialRooms, clock }: Foundation,
  timeline: TimelineParts,
  { filters }: UserDataParts,
  history: RemoteHistory = noRemoteHistory,
): ReadingParts {
  const { rooms, events, snapshots } = graph;
  const {
    timelines,
    views,
    readers,
    presenter,
    aggregations,
    members,
    filtering,
    pace,
    stateTexts: texts,
  } = timeline;
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
  const pages = new TimelinePages(store, timelines, filtering, history, clock);
  // What only shows where somebody is in a room waits for no other server.
  const pagesHere = new TimelinePages(store, timelines, filtering, noRemoteHistory, clock);
  const single = new SingleEvents({
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
  });
  const handlers = readingHandlers({
    messages: new Messages({ access, pages, presenter, events, members }),
    single,
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
  return { access, pages: pagesHere, single, handlers };
}
