import type { TestClient } from "./client.ts";
import { type Query, read, sync, type SyncedRoom, type TestEvent } from "./rooms.ts";
import { Connection, oneList, type SlidingRoom } from "./sliding-sync.ts";
import type { TimelineFilter } from "./visible-history.ts";

/** What a client knows of a room. */
export interface KnownRoom {
  timeline: TestEvent[];
  /** Event IDs by type and state key. */
  readonly state: Map<string, string>;
  /** Events that the user was told of while outside, such as that they are no longer banned. */
  readonly toldOutside: Set<string>;
  /** What happens after the user has left does not come with sync: it has to be read when they are back. */
  wasLeft: boolean;
}

function newRoom(): KnownRoom {
  return { timeline: [], state: new Map(), toldOutside: new Set(), wasLeft: false };
}

export const stateKeyOf = ({ type, state_key }: TestEvent): string => `${type} ${state_key}`;
const idOf = (event: TestEvent) => event.event_id;

/** What `/messages` brought: events, oldest first, and the members that came along. */
interface Stretch {
  readonly events: TestEvent[];
  readonly members: TestEvent[];
}

async function stretch(client: TestClient, roomId: string, range: Query): Promise<Stretch> {
  const events: TestEvent[] = [];
  const members: TestEvent[] = [];
  for (let from = range["from"]; ; ) {
    const query = { ...range, from, dir: "b", limit: 3 };
    const { status, body } = await read(client, "getRoomEvents", roomId, "messages", query);
    if (status !== 200) throw new Error(`messages of ${roomId} answered ${status}`);
    events.unshift(...(body["chunk"] as TestEvent[]).toReversed());
    members.push(...((body["state"] ?? []) as TestEvent[]));
    if (body["end"] === undefined) return { events, members };
    from = String(body["end"]);
  }
}

/** All events of a room that a client may see, oldest first. */
export async function wholeTimeline(client: TestClient, roomId: string): Promise<TestEvent[]> {
  return (await stretch(client, roomId, {})).events;
}

/** How a client of sync v2 asks. */
export interface SyncModelWish {
  readonly timeline: TimelineFilter;
  readonly lazyMembers: boolean;
  readonly usesStateAfter: boolean;
}

/** A client that believes what sync v2 tells it, and fills every gap. */
export class SyncModel {
  readonly client: TestClient;
  readonly wish: SyncModelWish;
  readonly rooms = new Map<string, KnownRoom>();
  #since: string | undefined;

  constructor(client: TestClient, wish: SyncModelWish) {
    this.client = client;
    this.wish = wish;
  }

  /**
   * @param isLost whether the answer never reaches the client
   * @param timeline of this answer alone
   */
  async sync(isLost = false, timeline = this.wish.timeline): Promise<void> {
    const { lazyMembers, usesStateAfter } = this.wish;
    const filter = { room: { timeline, state: { lazy_load_members: lazyMembers } } };
    const answer = await sync(this.client, { since: this.#since, filter, use_state_after: usesStateAfter });
    if (isLost) return;
    const { join: joined = {}, leave: left = {} } = (answer.body["rooms"] ?? {}) as Partial<
      Record<"join" | "leave", Record<string, SyncedRoom>>
    >;
    for (const [roomId, part] of Object.entries({ ...joined, ...left })) {
      await this.#take(roomId, part, roomId in left);
    }
    this.#since = answer.nextBatch;
  }

  async #take(roomId: string, part: SyncedRoom, isLeft: boolean): Promise<void> {
    const { state, state_after, timeline } = part;
    const known = this.rooms.get(roomId);
    const kept = known ?? newRoom();
    this.rooms.set(roomId, kept);
    const isContinued = known?.wasLeft === false;
    const ids = new Set(kept.timeline.map(idOf));
    const gap = timeline.limited
      ? await this.#gap(roomId, timeline.prev_batch, isContinued ? this.#since : undefined)
      : { events: [], members: [] };
    const news = [...gap.events, ...timeline.events];
    const again = news.find((event) => ids.has(event.event_id));
    // A limited timeline begins anew: whoever has left and come back between two syncs gets what they had once more.
    if (again && isContinued && !timeline.limited)
      throw new Error(`${again.event_id} of ${roomId} came twice`);
    kept.timeline = merged(kept.timeline, news);
    if (isLeft) for (const event of news) kept.toldOutside.add(event.event_id);
    const changes = this.wish.usesStateAfter
      ? (state_after?.events ?? [])
      : [...state.events, ...timeline.events.filter((event) => event.state_key !== undefined)];
    for (const event of gap.members) {
      if (!kept.state.has(stateKeyOf(event))) kept.state.set(stateKeyOf(event), event.event_id);
    }
    for (const event of changes) kept.state.set(stateKeyOf(event), event.event_id);
    kept.wasLeft = isLeft;
  }

  #gap(roomId: string, from: string, to: string | undefined): Promise<Stretch> {
    const { timeline, lazyMembers } = this.wish;
    const { limit: _ofSync, ...filter } = timeline;
    return stretch(this.client, roomId, { from, to, filter: { ...filter, lazy_load_members: lazyMembers } });
  }
}

/** A client that believes what sliding sync tells it, and fills every gap. */
export class SlidingModel extends Connection {
  readonly rooms = new Map<string, KnownRoom>();

  /** Looks at the newest rooms, or at all of them. */
  async look(newest: number, limit: number): Promise<void> {
    const body = oneList({ ranges: [[0, newest]], timeline_limit: limit, required_state: [["*", "*"]] });
    const answer = await this.sync(body);
    for (const [roomId, room] of Object.entries(answer.rooms)) await this.#keep(roomId, room);
  }

  async #keep(roomId: string, room: SlidingRoom): Promise<void> {
    if (room.membership !== "join") return;
    const before = room.initial ? undefined : this.rooms.get(roomId);
    const known = before ?? newRoom();
    this.rooms.set(roomId, known);
    for (const event of room.required_state ?? []) known.state.set(stateKeyOf(event), event.event_id);
    const events = room.timeline ?? [];
    const isJoined = events.some((event) =>
      known.timeline.some(({ event_id }) => event_id === event.event_id),
    );
    const gap =
      room.limited && !isJoined ? await stretch(this.client, roomId, { from: room.prev_batch }) : undefined;
    known.timeline = merged(known.timeline, [...(gap?.events ?? []), ...events]);
  }
}

/** What was known, with the news in the place of what is in both. */
function merged(known: readonly TestEvent[], news: readonly TestEvent[]): TestEvent[] {
  const ids = new Set(news.map(idOf));
  return [...known.filter((event) => !ids.has(event.event_id)), ...news];
}
