import fc from "fast-check";
import t from "tap";
import { login, registerUser, type TestClient } from "../support/client.ts";
import {
  type KnownRoom,
  SlidingModel,
  stateKeyOf,
  SyncModel,
  wholeTimeline,
} from "../support/model-clients.ts";
import {
  createRoom,
  join,
  leave,
  moderate,
  redact,
  say,
  send,
  setState,
  type TestEvent,
} from "../support/rooms.ts";
import { searchAll } from "../support/search.ts";
import { startServer } from "../support/server.ts";
import { passes, type TimelineFilter, visibleTo, worldReadable } from "../support/visible-history.ts";

t.setTimeout(120_000);
const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());
/** Is in every room from its first event to the last, and so sees everything that there is. */
const alice = await registerUser(server, "alice");
const bob = await registerUser(server, "bob");

const roomCount = 3;
const clientCount = 3;
const visibilities = ["world_readable", "shared", "invited", "joined"] as const;

/** What can happen in a room, by the reader or by others, or to the reader's clients. */
type Step =
  | { readonly kind: "say" | "picture" | "topic" | "redact"; readonly room: number }
  | { readonly kind: "join" | "leave" | "kick" | "ban" | "invite"; readonly room: number }
  | { readonly kind: "visibility"; readonly room: number; readonly to: (typeof visibilities)[number] }
  | { readonly kind: "sync"; readonly client: number; readonly isLost: boolean }
  | { readonly kind: "look"; readonly newest: number; readonly limit: number }
  /** Clients sync while others send. */
  | { readonly kind: "race"; readonly room: number }
  | { readonly kind: "restart" };

const room = fc.nat(roomCount - 1);
const limit = fc.integer({ min: 1, max: 4 });
const of = <Kind extends string>(...kinds: Kind[]) => fc.record({ kind: fc.constantFrom(...kinds), room });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: of("say", "picture", "topic", "redact") },
  { weight: 5, arbitrary: of("join", "leave", "kick", "ban", "invite") },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("visibility" as const),
      room,
      to: fc.constantFrom(...visibilities),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("sync" as const),
      client: fc.nat(clientCount - 1),
      isLost: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("look" as const), newest: fc.nat(roomCount - 1), limit }),
  },
  { weight: 1, arbitrary: of("race") },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("restart" as const) }) },
);

const types = fc.uniqueArray(
  fc.constantFrom("m.room.message", "m.room.*", "m.room.topic", "m.room.member", "m.*"),
  {
    minLength: 1,
    maxLength: 2,
  },
);
const senders = fc.constantFrom([alice.userId], [bob.userId], [alice.userId, bob.userId]);
const maybe = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined, freq: 1 });
const filter: fc.Arbitrary<TimelineFilter> = fc
  .record({
    limit,
    types: maybe(types),
    not_types: maybe(types),
    senders: maybe(senders),
    not_senders: maybe(senders),
    contains_url: maybe(fc.boolean()),
  })
  .map((whole) => Object.fromEntries(Object.entries(whole).filter(([, value]) => value !== undefined)));
const wishes = fc.array(
  fc.record({ timeline: filter, lazyMembers: fc.boolean(), usesStateAfter: fc.boolean() }),
  {
    minLength: clientCount - 1,
    maxLength: clientCount - 1,
  },
);

/** One run: a new reader with several clients, new rooms, and what happens in them. */
class Run {
  readonly reader: TestClient;
  readonly clients: readonly SyncModel[];
  readonly sliding: SlidingModel;
  readonly roomIds: readonly string[];
  readonly memberships: string[];
  readonly #last = new Map<number, string>();
  #count = 0;

  constructor(clients: readonly SyncModel[], sliding: SlidingModel, roomIds: readonly string[]) {
    this.reader = sliding.client;
    this.clients = clients;
    this.sliding = sliding;
    this.roomIds = roomIds;
    this.memberships = roomIds.map(() => "leave");
  }

  async take(next: Step): Promise<void> {
    this.#count += 1;
    if (next.kind === "restart") return server.restart();
    if (next.kind === "sync") return this.clients[next.client]?.sync(next.isLost);
    if (next.kind === "look") return this.sliding.look(next.newest, next.limit);
    const roomId = this.roomIds[next.room] ?? "";
    if (next.kind === "visibility") {
      await setState(alice, roomId, "m.room.history_visibility", { history_visibility: next.to });
    } else if (next.kind === "race") await this.#race(roomId);
    else if (
      next.kind === "say" ||
      next.kind === "picture" ||
      next.kind === "topic" ||
      next.kind === "redact"
    ) {
      await this.#send(next.kind, next.room, roomId);
    } else await this.#move(next.kind, next.room, roomId);
  }

  async #send(kind: "say" | "picture" | "topic" | "redact", index: number, roomId: string): Promise<void> {
    const text = `common ${this.#count}`;
    const sender = this.#count % 2 ? alice : bob;
    const last = this.#last.get(index);
    if (kind === "say") this.#last.set(index, await say(sender, roomId, text));
    else if (kind === "topic")
      await setState(alice, roomId, "m.room.topic", { topic: `topic ${this.#count}` });
    else if (kind === "picture") {
      const picture = { msgtype: "m.image", body: text, url: "mxc://hearth.test/picture" };
      await send(sender, roomId, "m.room.message", picture);
    } else if (last !== undefined) {
      await redact(alice, roomId, last);
      this.#last.delete(index);
    }
  }

  async #race(roomId: string): Promise<void> {
    const sends = [alice, bob, alice].map((client, index) =>
      say(client, roomId, `common ${this.#count}.${index}`),
    );
    await Promise.all([...this.clients.map((client) => client.sync()), this.sliding.look(99, 2), ...sends]);
  }

  async #move(
    kind: "join" | "leave" | "kick" | "ban" | "invite",
    index: number,
    roomId: string,
  ): Promise<void> {
    const { userId } = this.reader;
    const before = this.memberships[index];
    if (before === "ban") {
      const unban = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/unban`;
      await alice.post(unban, { user_id: userId });
      this.memberships[index] = "leave";
    } else if (kind === "join" && before !== "join") {
      await join(this.reader, roomId);
      this.memberships[index] = "join";
    } else if (kind === "invite" && before === "leave") {
      await moderate(alice, roomId, "invite", userId);
      this.memberships[index] = "invite";
    } else if (before === "join" && (kind === "leave" || kind === "kick" || kind === "ban")) {
      await (kind === "leave" ? leave(this.reader, roomId) : moderate(alice, roomId, kind, userId));
      this.memberships[index] = kind === "ban" ? "ban" : "leave";
    }
  }
}

/** @param firstVisibilities of the rooms */
async function startRun(
  wanted: readonly ConstructorParameters<typeof SyncModel>[1][],
  firstVisibilities: readonly string[],
): Promise<Run> {
  const reader = await registerUser(server);
  const plain = { timeline: { limit: 3 }, lazyMembers: false, usesStateAfter: false };
  const clients: SyncModel[] = [new SyncModel(reader, plain)];
  for (const wish of wanted) clients.push(new SyncModel(await login(server, reader), wish));
  const sliding = new SlidingModel(await login(server, reader));
  const roomIds = await Promise.all(
    firstVisibilities.map((visibility, index) => {
      const content = { history_visibility: visibility };
      const state = [{ type: "m.room.history_visibility", content }];
      return createRoom(alice, { name: `Room ${index}`, initial_state: state }, bob);
    }),
  );
  const run = new Run(clients, sliding, roomIds);
  await run.take({ kind: "join", room: 0 });
  // Those who have never synced are not told of rooms that have been left since.
  for (const client of clients) await client.sync();
  return run;
}

function assertSame(actual: unknown, expected: unknown, what: string): void {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a !== b) throw new Error(`${what}: the client has ${a}, it should have ${b}`);
}

const id = (event: TestEvent) => event.event_id;

function sorted(entries: Iterable<[string, string]>): [string, string][] {
  return [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
}

function stateOf(events: readonly TestEvent[]): Map<string, string> {
  const state = new Map<string, string>();
  for (const event of events) if (event.state_key !== undefined) state.set(stateKeyOf(event), event.event_id);
  return state;
}

function withoutMembers(state: ReadonlyMap<string, string> | undefined): [string, string][] {
  return sorted([...(state ?? [])].filter(([key]) => !key.startsWith("m.room.member ")));
}

function checkState(
  { wish }: SyncModel,
  known: KnownRoom | undefined,
  events: readonly TestEvent[],
  what: string,
) {
  const state = stateOf(events);
  assertSame(withoutMembers(known?.state), withoutMembers(state), `state of ${what}`);
  if (!wish.lazyMembers) return assertSame(sorted(known?.state ?? []), sorted(state), `members of ${what}`);
  for (const { sender } of known?.timeline ?? []) {
    if (!known?.state.has(`m.room.member ${sender}`))
      throw new Error(`${what} has no member event of ${sender}`);
  }
}

/**
 * What a client has that is no history of its user: whoever is outside is told of their own membership, that they are no
 * longer banned for one, and of what anybody may read that came before that. They keep it when they are in again.
 */
function learntOutside(
  { timeline, toldOutside }: KnownRoom,
  visible: readonly TestEvent[],
  events: readonly TestEvent[],
  { userId }: TestClient,
): ReadonlySet<string> {
  const history = new Set(visible.map(id));
  const readable = worldReadable(events);
  const learnt = timeline.filter(
    (event) =>
      toldOutside.has(event.event_id) &&
      !history.has(event.event_id) &&
      (event.state_key === userId || readable.has(event.event_id)),
  );
  return new Set(learnt.map(id));
}

function assertNothingForbidden(has: readonly string[], allowed: readonly string[], what: string): void {
  const forbidden = has.filter((eventId) => !allowed.includes(eventId));
  if (forbidden.length > 0) throw new Error(`${what} has ${forbidden.join()}`);
}

/** Holds what each client knows against what there is, and what history visibility lets the reader see of it. */
async function check(run: Run): Promise<void> {
  const { reader, clients, sliding, roomIds, memberships } = run;
  const findable = new Set<string>();
  for (const [index, roomId] of roomIds.entries()) {
    const events = await wholeTimeline(alice, roomId);
    const visible = visibleTo(reader.userId, events);
    const isIn = memberships[index] === "join";
    for (const [number, client] of clients.entries()) {
      const what = `${roomId} for client ${number}, who is ${memberships[index]}`;
      const known = client.rooms.get(roomId);
      const expected = visible.filter((event) => passes(client.wish.timeline, event)).map(id);
      const besides = known && learntOutside(known, visible, events, reader);
      const has = known?.timeline.filter((event) => !besides?.has(event.event_id)) ?? [];
      // Rooms that one is invited to are told of as such: what was before comes when one joins.
      if (memberships[index] === "invite") assertNothingForbidden(has.map(id), expected, what);
      else assertSame(has.map(id), expected, `timeline of ${what}`);
      if (isIn) checkState(client, known, events, what);
    }
    if (isIn)
      assertSame(
        sliding.rooms.get(roomId)?.timeline.map(id),
        visible.map(id),
        `sliding timeline of ${roomId}`,
      );
    for (const event of visible) {
      if (event.type === "m.room.message" && event.content["body"] !== undefined)
        findable.add(event.event_id);
    }
  }
  const found = await searchAll(reader, "common", { order_by: "recent", filter: { limit: 50 } });
  assertSame(found.toSorted(), [...findable].toSorted(), "search");
}

const runs = 6;

t.test(
  "sync, slidingSync, getRoomEvents, search: nothing is missing, nothing comes twice, nothing is forbidden",
  async (t) => {
    const starts = fc.array(fc.constantFrom(...visibilities), { minLength: roomCount, maxLength: roomCount });
    const steps = fc.array(step, { minLength: 10, maxLength: 45 });
    let checked = 0;
    await fc.assert(
      fc.asyncProperty(wishes, starts, steps, async (wanted, firstVisibilities, all) => {
        const run = await startRun(wanted, firstVisibilities);
        for (const next of all) await run.take(next);
        for (const client of run.clients) await client.sync();
        await run.sliding.look(99, 3);
        await check(run);
        checked += 1;
      }),
      { numRuns: runs, endOnFailure: true },
    );
    t.equal(checked, runs);
  },
);
