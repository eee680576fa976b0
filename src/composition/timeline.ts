import { Pace } from "../telemetry/pace.ts";
import { Aggregations } from "../timeline/aggregations.ts";
import { Erasures } from "../timeline/erasures.ts";
import { EventPresenter } from "../timeline/event-presenter.ts";
import { EventFiltering } from "../timeline/filtering.ts";
import { MemberEvents } from "../timeline/member-events.ts";
import { Readers } from "../timeline/readers.ts";
import { RoomTimelines } from "../timeline/room-timelines.ts";
import { StickyRooms } from "../timeline/sticky-rooms.ts";
import { RoomViews } from "../timeline/room-view.ts";
import { StateTexts } from "../timeline/state-texts.ts";
import type { Foundation } from "./foundation.ts";
import type { UserDataParts } from "./user-data.ts";

/** What reads the events of rooms for users, whatever the endpoint. */
export interface TimelineParts {
  readonly timelines: RoomTimelines;
  readonly views: RoomViews;
  readonly erasures: Erasures;
  readonly readers: Readers;
  readonly presenter: EventPresenter;
  readonly stickyRooms: StickyRooms;
  readonly aggregations: Aggregations;
  readonly members: MemberEvents;
  readonly filtering: EventFiltering;
  readonly stateTexts: StateTexts;
  readonly pace: Pace;
}

export async function composeTimeline(
  { stores, names, graph, clock, notifier, partialRooms }: Foundation,
  { accountData }: UserDataParts,
): Promise<TimelineParts> {
  const { events, snapshots, rooms } = graph;
  const timelines = new RoomTimelines(stores.events, events);
  const views = new RoomViews({ events, snapshots, names, memberships: stores.memberships });
  const aggregations = new Aggregations(stores.relations, events);
  const redactionTypeNid = await names.internEventType("m.room.redaction");
  const memberTypeNid = await names.internEventType("m.room.member");
  const erasures = new Erasures(rooms, memberTypeNid, await stores.accounts.erasures());
  const stickyRooms = new StickyRooms(stores.stickyEvents, clock);
  await stickyRooms.load();
  const presenter = new EventPresenter({
    store: stores.events,
    events,
    names,
    rooms,
    aggregations,
    erasures,
    stickyRooms,
    clock,
    redactionTypeNid,
  });
  const stateTexts = new StateTexts({ events, snapshots, names, presenter });
  notifier.follow(["timeline"], timelines.committed);
  notifier.follow(["erasures"], erasures.committed);
  notifier.follow(["timeline", "stickyEvents"], stickyRooms.committed);
  notifier.follow(["timeline"], stateTexts.committed);
  notifier.follow(["timeline"], aggregations.committed);
  return {
    timelines,
    views,
    erasures,
    readers: new Readers(accountData, names),
    presenter,
    stickyRooms,
    aggregations,
    members: new MemberEvents({ names, snapshots, events, eventStore: stores.events, partialRooms }),
    filtering: new EventFiltering(names, stores.relations),
    stateTexts,
    pace: new Pace(clock),
  };
}
