import fc from "fast-check";
import t from "tap";
import { registerUser, type TestClient } from "../support/client.ts";
import {
  createRoom,
  join,
  leave,
  type Query,
  read,
  say,
  setState,
  sync,
  type SyncedRoom,
  type TestEvent,
} from "../support/rooms.ts";
import { startServer } from "../support/server.ts";

const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());
const alice = await registerUser(server, "alice");
const bob = await registerUser(server, "bob");

/** All events of a stretch of a room, oldest first, read in small pages. */
async function stretch(client: TestClient, roomId: string, range: Query): Promise<TestEvent[]> {
  const events: TestEvent[] = [];
  for (let from = range["from"]; ; ) {
    const query = { ...range, from, dir: "b", limit: 3 };
    const { body } = await read(client, "getRoomEvents", roomId, "messages", query);
    events.unshift(...(body["chunk"] as TestEvent[]).toReversed());
    if (body["end"] === undefined) return events;
    from = String(body["end"]);
  }
}

interface KnownRoom {
  readonly timeline: TestEvent[];
  /** Event IDs by type and state key. */
  readonly state: Map<string, string>;
  /** What happens after the user has left does not come with sync: it has to be read when they are back. */
  wasLeft: boolean;
}

const keyOf = ({ type, state_key }: TestEvent) => `${type} ${state_key}`;

/** A client that believes what sync tells it, and fills every gap. */
class ModelClient {
  readonly #client: TestClient;
  readonly #usesStateAfter: boolean;
  readonly rooms = new Map<string, KnownRoom>();
  #since: string | undefined;

  constructor(client: TestClient, usesStateAfter: boolean) {
    this.#client = client;
    this.#usesStateAfter = usesStateAfter;
  }

  /** @param isLost whether the answer never reaches the client */
  async sync(limit: number, isLost = false): Promise<void> {
    const filter = { room: { timeline: { limit } } };
    const query = { since: this.#since, filter, use_state_after: this.#usesStateAfter };
    const answer = await sync(this.#client, query);
    if (isLost) return;
    const { join: joined = {}, leave: left = {} } = (answer.body["rooms"] ?? {}) as Partial<
      Record<"join" | "leave", Record<string, SyncedRoom>>
    >;
    for (const [roomId, part] of Object.entries({ ...joined, ...left })) {
      const known = await this.#take(roomId, part);
      known.wasLeft = roomId in left;
    }
    this.#since = answer.nextBatch;
  }

  async #take(roomId: string, { state, state_after, timeline }: SyncedRoom): Promise<KnownRoom> {
    const known = this.rooms.get(roomId);
    const kept = known ?? { timeline: [], state: new Map<string, string>(), wasLeft: false };
    this.rooms.set(roomId, kept);
    const to = known?.wasLeft === false ? this.#since : undefined;
    const gap = timeline.limited
      ? await stretch(this.#client, roomId, { from: timeline.prev_batch, to })
      : [];
    const ids = new Set(kept.timeline.map((event) => event.event_id));
    kept.timeline.push(...[...gap, ...timeline.events].filter((event) => !ids.has(event.event_id)));
    const changes = this.#usesStateAfter
      ? (state_after?.events ?? [])
      : [...state.events, ...timeline.events.filter((event) => event.state_key !== undefined)];
    for (const event of changes) kept.state.set(keyOf(event), event.event_id);
    return kept;
  }
}

/** What can happen: in room 0 to 2, by the reader or by others, or a sync. */
type Step =
  | { readonly kind: "say" | "topic" | "leave" | "join"; readonly room: number }
  | { readonly kind: "sync"; readonly limit: number; readonly isLost: boolean }
  /** A sync while others send. */
  | { readonly kind: "race"; readonly room: number; readonly limit: number };

const room = fc.nat(2);
const limit = fc.integer({ min: 1, max: 4 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("say" as const), room }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom("topic" as const, "leave", "join"), room }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("sync" as const), limit, isLost: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("race" as const), room, limit }) },
);

/** One run: a new reader, three new rooms, and what happens in them. */
class Run {
  readonly reader: TestClient;
  readonly model: ModelClient;
  readonly roomIds: readonly string[];
  readonly #joined = new Set<number>([0]);
  #count = 0;

  constructor(reader: TestClient, roomIds: readonly string[], usesStateAfter: boolean) {
    this.reader = reader;
    this.roomIds = roomIds;
    this.model = new ModelClient(reader, usesStateAfter);
  }

  roomId(index: number): string {
    return this.roomIds[index] ?? "";
  }

  get joinedRoomIds(): string[] {
    return [...this.#joined].map((index) => this.roomId(index));
  }

  async take(next: Step): Promise<void> {
    this.#count += 1;
    if (next.kind === "sync") return this.model.sync(next.limit, next.isLost);
    const roomId = this.roomId(next.room);
    const isJoined = this.#joined.has(next.room);
    if (next.kind === "say") await say(this.#count % 2 ? alice : bob, roomId, `${this.#count}`);
    else if (next.kind === "topic")
      await setState(alice, roomId, "m.room.topic", { topic: `${this.#count}` });
    else if (next.kind === "race") {
      const sends = [alice, bob, alice].map((client, index) =>
        say(client, roomId, `${this.#count}.${index}`),
      );
      await Promise.all([this.model.sync(next.limit), ...sends]);
    } else if (next.kind === "leave" && isJoined) {
      await leave(this.reader, roomId);
      this.#joined.delete(next.room);
    } else if (next.kind === "join" && !isJoined) {
      await join(this.reader, roomId);
      this.#joined.add(next.room);
    }
  }
}

async function startRun(usesStateAfter: boolean): Promise<Run> {
  const reader = await registerUser(server);
  const roomIds = await Promise.all(["a", "b", "c"].map((name) => createRoom(alice, { name }, bob)));
  const run = new Run(reader, roomIds, usesStateAfter);
  await join(reader, run.roomId(0));
  return run;
}

function assertSame(actual: unknown, expected: unknown, what: string): void {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a !== b) throw new Error(`${what}: the client has ${a}, the server ${b}`);
}

/** Holds what the client knows of its rooms against the rooms themselves. */
async function check({ reader, model, joinedRoomIds }: Run): Promise<void> {
  for (const roomId of joinedRoomIds) {
    const known = model.rooms.get(roomId);
    const timeline = await stretch(reader, roomId, {});
    const id = (event: TestEvent) => event.event_id;
    assertSame(known?.timeline.map(id), timeline.map(id), `timeline of ${roomId}`);
    const state = new Map<string, string>();
    for (const event of timeline) if (event.state_key !== undefined) state.set(keyOf(event), event.event_id);
    const sorted = (map: ReadonlyMap<string, string> | undefined) =>
      [...(map ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
    assertSame(sorted(known?.state), sorted(state), `state of ${roomId}`);
  }
}

const runs = 8;

for (const usesStateAfter of [false, true]) {
  t.test(
    `sync and getRoomEvents: a client that fills its gaps misses nothing (${usesStateAfter ? "state_after" : "state"})`,
    async (t) => {
      const steps = fc.array(step, { minLength: 10, maxLength: 40 });
      let checked = 0;
      await fc.assert(
        fc.asyncProperty(steps, async (all) => {
          const run = await startRun(usesStateAfter);
          for (const next of all) await run.take(next);
          await run.model.sync(2);
          await check(run);
          checked += 1;
        }),
        { numRuns: runs, endOnFailure: true },
      );
      t.equal(checked, runs);
    },
  );
}
