import fc from "fast-check";
import t from "tap";
import { registerUser, type TestClient } from "../support/client.ts";
import { stateKeyOf, SyncModel, wholeTimeline } from "../support/model-clients.ts";
import { createRoom, join, leave, say, setState, type TestEvent } from "../support/rooms.ts";
import { startServer } from "../support/server.ts";

const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());
const alice = await registerUser(server, "alice");
const bob = await registerUser(server, "bob");

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
  readonly model: SyncModel;
  readonly roomIds: readonly string[];
  readonly #joined = new Set<number>([0]);
  #count = 0;

  constructor(reader: TestClient, roomIds: readonly string[], usesStateAfter: boolean) {
    this.reader = reader;
    this.roomIds = roomIds;
    this.model = new SyncModel(reader, { timeline: {}, lazyMembers: false, usesStateAfter });
  }

  roomId(index: number): string {
    return this.roomIds[index] ?? "";
  }

  get joinedRoomIds(): string[] {
    return [...this.#joined].map((index) => this.roomId(index));
  }

  async take(next: Step): Promise<void> {
    this.#count += 1;
    if (next.kind === "sync") return this.model.sync(next.isLost, { limit: next.limit });
    const roomId = this.roomId(next.room);
    const isJoined = this.#joined.has(next.room);
    if (next.kind === "say") await say(this.#count % 2 ? alice : bob, roomId, `${this.#count}`);
    else if (next.kind === "topic")
      await setState(alice, roomId, "m.room.topic", { topic: `${this.#count}` });
    else if (next.kind === "race") {
      const sends = [alice, bob, alice].map((client, index) =>
        say(client, roomId, `${this.#count}.${index}`),
      );
      await Promise.all([this.model.sync(false, { limit: next.limit }), ...sends]);
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
    const timeline = await wholeTimeline(reader, roomId);
    const id = (event: TestEvent) => event.event_id;
    assertSame(known?.timeline.map(id), timeline.map(id), `timeline of ${roomId}`);
    const state = new Map<string, string>();
    for (const event of timeline)
      if (event.state_key !== undefined) state.set(stateKeyOf(event), event.event_id);
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
          await run.model.sync(false, { limit: 2 });
          await check(run);
          checked += 1;
        }),
        { numRuns: runs, endOnFailure: true },
      );
      t.equal(checked, runs);
    },
  );
}
