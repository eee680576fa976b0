import fc from "fast-check";
import t from "tap";
import { registerUser, type TestClient } from "../support/client.ts";
import {
  createRoom,
  join,
  leave,
  type Query,
  read,
  redact,
  say,
  setState,
  type TestEvent,
} from "../support/rooms.ts";
import { startServer } from "../support/server.ts";
import { Connection, oneList, slidingSync, type SlidingRoom } from "../support/sliding-sync.ts";

const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());
const alice = await registerUser(server, "alice");
const bob = await registerUser(server, "bob");

interface KnownRoom {
  timeline: string[];
  readonly state: Map<string, string>;
  readonly fields: Map<string, unknown>;
}

const keyOf = ({ type, state_key }: TestEvent) => `${type} ${state_key}`;
const id = (event: TestEvent) => event.event_id;
const fields = ["name", "joined_count", "invited_count", "membership", "notification_count"] as const;

async function stretch(client: TestClient, roomId: string, range: Query): Promise<string[]> {
  const events: TestEvent[] = [];
  for (let from = range["from"]; ; ) {
    const query = { ...range, from, dir: "b", limit: 3 };
    const { body } = await read(client, "getRoomEvents", roomId, "messages", query);
    events.unshift(...(body["chunk"] as TestEvent[]).toReversed());
    if (body["end"] === undefined) return events.map(id);
    from = String(body["end"]);
  }
}

const rules = [
  [],
  [["m.room.topic", ""]],
  [
    ["m.room.topic", ""],
    ["m.room.member", "*"],
  ],
  [["*", "*"]],
];
const everything = oneList({ ranges: [[0, 99]], timeline_limit: 3, required_state: [["*", "*"]] });

/** A client that believes what sliding sync tells it, whatever it looks at, and fills every gap. */
class ModelClient extends Connection {
  readonly rooms = new Map<string, KnownRoom>();

  async take({ window, limit, rules: index, isLost }: Extract<Step, { kind: "sync" }>): Promise<void> {
    const required_state = rules[index] ?? [];
    const body = oneList({ ranges: [[0, window]], timeline_limit: limit, required_state });
    if (isLost) await slidingSync(this.client, body, { pos: this.pos });
    else await this.follow(body);
  }

  async follow(body: Record<string, unknown>): Promise<void> {
    const answer = await this.sync(body);
    for (const [roomId, room] of Object.entries(answer.rooms)) await this.#keep(roomId, room);
  }

  async #keep(roomId: string, room: SlidingRoom): Promise<void> {
    const before = room.initial ? undefined : this.rooms.get(roomId);
    if (!before && !room.initial) throw new Error(`${roomId} is told of as if it were known`);
    const known: KnownRoom = before ?? { timeline: [], state: new Map(), fields: new Map() };
    this.rooms.set(roomId, known);
    for (const field of fields) if (field in room) known.fields.set(field, room[field]);
    for (const event of room.required_state ?? []) known.state.set(keyOf(event), event.event_id);
    const events = (room.timeline ?? []).map(id);
    const isJoined = events.some((event) => known.timeline.includes(event));
    const gap =
      room.limited && !isJoined ? await stretch(this.client, roomId, { from: room.prev_batch }) : [];
    const all = [...gap, ...events];
    known.timeline = [...known.timeline.filter((event) => !all.includes(event)), ...all];
  }
}

type Step =
  | { readonly kind: "say" | "topic" | "name" | "leave" | "join" | "redact"; readonly room: number }
  | { readonly kind: "restart" }
  | {
      readonly kind: "sync";
      readonly window: number;
      readonly limit: number;
      readonly rules: number;
      /** Whether the answer never reaches the client. */
      readonly isLost: boolean;
    }
  /** A sync while others send. */
  | { readonly kind: "race"; readonly room: number };

const room = fc.nat(3);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("say" as const), room }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom("topic" as const, "name", "leave", "join", "redact"),
      room,
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("sync" as const),
      window: fc.nat(3),
      limit: fc.integer({ min: 0, max: 4 }),
      rules: fc.nat(rules.length - 1),
      isLost: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("race" as const), room }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("restart" as const) }) },
);

/** One run: a new reader, four new rooms, and what happens in them. */
class Run {
  readonly model: ModelClient;
  readonly #roomIds: readonly string[];
  readonly #joined = new Set<number>();
  readonly #last = new Map<number, string>();
  #count = 0;

  constructor(reader: TestClient, roomIds: readonly string[]) {
    this.model = new ModelClient(reader);
    this.#roomIds = roomIds;
  }

  get joinedRoomIds(): string[] {
    return [...this.#joined].map((index) => this.#roomIds[index] ?? "");
  }

  async take(next: Step): Promise<void> {
    this.#count += 1;
    if (next.kind === "sync") return this.model.take(next);
    if (next.kind === "restart") return server.restart();
    const roomId = this.#roomIds[next.room] ?? "";
    const text = `${this.#count}`;
    const last = this.#last.get(next.room);
    if (next.kind === "say")
      this.#last.set(next.room, await say(this.#count % 2 ? alice : bob, roomId, text));
    else if (next.kind === "topic") await setState(alice, roomId, "m.room.topic", { topic: text });
    else if (next.kind === "name")
      await setState(alice, roomId, "m.room.name", this.#count % 3 ? { name: text } : {});
    else if (next.kind === "redact" && last !== undefined) await redact(alice, roomId, last);
    else if (next.kind === "race") await this.#race(roomId);
    else if (next.kind === "join" || next.kind === "leave") await this.#move(next.kind, next.room, roomId);
  }

  async #race(roomId: string): Promise<void> {
    const sends = [alice, bob, alice].map((client, index) => say(client, roomId, `${this.#count}.${index}`));
    await Promise.all([this.model.follow(everything), ...sends]);
  }

  async #move(kind: "join" | "leave", index: number, roomId: string): Promise<void> {
    if (this.#joined.has(index) === (kind === "join")) return;
    await (kind === "join" ? join : leave)(this.model.client, roomId);
    if (kind === "join") this.#joined.add(index);
    else this.#joined.delete(index);
  }
}

function assertSame(actual: unknown, expected: unknown, what: string): void {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a !== b) throw new Error(`${what}: the client has ${a}, the server ${b}`);
}

/** Holds what the client knows of its rooms against the rooms themselves, and against a connection that begins. */
async function check({ model, joinedRoomIds }: Run): Promise<void> {
  const anew = await slidingSync(model.client, { ...everything, conn_id: "anew" });
  for (const roomId of joinedRoomIds) {
    const known = model.rooms.get(roomId);
    assertSame(known?.timeline, await stretch(model.client, roomId, {}), `timeline of ${roomId}`);
    const expected = anew.rooms[roomId];
    const sorted = (entries: Iterable<[string, string]>) => [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
    assertSame(
      sorted(known?.state ?? []),
      sorted((expected?.required_state ?? []).map((event) => [keyOf(event), event.event_id])),
      `state of ${roomId}`,
    );
    for (const field of fields)
      assertSame(known?.fields.get(field), expected?.[field], `${field} of ${roomId}`);
  }
}

const runs = 12;

t.test(
  "slidingSync: a client that fills its gaps misses nothing, whatever it looks at and when",
  async (t) => {
    const steps = fc.array(step, { minLength: 15, maxLength: 50 });
    let checked = 0;
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        const roomIds = await Promise.all(
          ["a", "b", "c", "d"].map((name) => createRoom(alice, { name }, bob)),
        );
        const run = new Run(await registerUser(server), roomIds);
        for (const index of [0, 1]) await run.take({ kind: "join", room: index });
        for (const next of all) await run.take(next);
        await run.model.follow(everything);
        await check(run);
        checked += 1;
      }),
      { numRuns: runs, endOnFailure: true },
    );
    t.equal(checked, runs);
  },
);
