import { deepEqual, equal, ok } from "node:assert/strict";
import * as fc from "fast-check";
import t from "tap";
import { versionNamed } from "../../protocol/auth/testing/test-event.ts";
import type { RoomVersion } from "../../protocol/room-versions.ts";
import { resolveState } from "../../protocol/state-resolution/resolve-state.ts";
import { separateState } from "../../protocol/state-resolution/separate.ts";
import { resolvePlainly } from "../../protocol/state-resolution/testing/plain-resolution.ts";
import { histories, play } from "../../protocol/state-resolution/testing/random-room.ts";
import type { TestDag } from "../../protocol/state-resolution/testing/test-dag.ts";
import { differenceOf } from "../../state/delta.ts";
import { isCommonKey } from "../../state/event-text.ts";
import { type StateMap, StateSnapshots } from "../../state/state-snapshots.ts";
import { eventFlags } from "../events.ts";
import type { PendingStateEvent, SnapshotRow } from "../state.ts";
import { openConnection } from "./engine/connection.ts";
import { initial } from "./migrations/0001-initial/index.ts";
import { insertAuthEdges } from "./stores/auth-edges.ts";
import { ForkedSnapshots, readSnapshot } from "./stores/forked-snapshots.ts";
import { findStatePair } from "./stores/names.ts";
import { resolve } from "./stores/state-resolution.ts";

const db = openConnection(":memory:", { readonly: false, cacheKib: 8 * 1024 });
db.execute(initial.sql);
t.teardown(() => db.close());

const roomNid = 1;
let lastSnapshotNid = 0;

/** What chance decides of how a random room is stored. */
interface Storing {
  /** Events that got their integers before those that they rest on, as invites do. */
  readonly early: readonly number[];
  /** How many of the newest events, and of the snapshots, are not stored yet. */
  readonly pendingEvents: number;
  readonly pendingSnapshots: number;
  /** From which snapshot each state is derived, and in how many steps. */
  readonly parents: readonly number[];
  readonly steps: number;
}

const storings: fc.Arbitrary<Storing> = fc.record({
  early: fc.array(fc.nat(40), { maxLength: 2 }),
  pendingEvents: fc.nat(3),
  pendingSnapshots: fc.nat(3),
  parents: fc.array(fc.nat(100), { minLength: 4, maxLength: 4 }),
  steps: fc.integer({ min: 1, max: 20 }),
});

/** A room of a test as it is stored: from the integers there to those here. */
class StoredRoom {
  readonly #dag: TestDag;
  readonly #nids: readonly number[];
  readonly #pairs = new Map<number, number>();
  readonly pendingEvents: PendingStateEvent[] = [];

  constructor(dag: TestDag, size: number, { early, pendingEvents }: Storing) {
    for (const table of ["events", "event_auth", "late_auth_edges"]) db.execute(`DELETE FROM ${table}`);
    this.#dag = dag;
    const order = Array.from({ length: size }, (_, nid) => nid);
    const stored = size - pendingEvents;
    const isEarly = (nid: number) =>
      nid < stored && early.includes(nid) && !dag.authEventNids(nid).some((other) => early.includes(other));
    const byAge = [...order.filter(isEarly), ...order.filter((nid) => !isEarly(nid))];
    this.#nids = order.map((nid) => byAge.indexOf(nid) + 1);
    for (const nid of order) {
      const row = this.#row(nid);
      if (isEarly(nid)) insertAuthEdges(db, { eventNid: row.eventNid, roomNid, authNids: [] }, row.pairNid);
      if (nid >= stored) this.pendingEvents.push(row);
      else store(row);
    }
  }

  state(state: StateMap): StateMap {
    return new Map([...state].map(([pair, nid]) => [this.#pair(pair, nid), this.#nids[nid] ?? 0]));
  }

  #pair(pair: number, nid: number): number {
    const { type, stateKey = "" } = this.#dag.event(nid).roomEvent;
    const known = this.#pairs.get(pair) ?? pairNidOf(type, stateKey);
    this.#pairs.set(pair, known);
    return known;
  }

  #row(nid: number): PendingStateEvent {
    const { roomEvent, authEventNids, rejected } = this.#dag.event(nid);
    const keys = Object.entries(roomEvent.pdu);
    const text = (isWanted: (key: string) => boolean) =>
      JSON.stringify(Object.fromEntries(keys.filter(([key]) => isWanted(key)))).slice(1, -1);
    return {
      eventNid: this.#nids[nid] ?? 0,
      eventId: roomEvent.eventId,
      pairNid: this.#pair(this.#dag.pairOf(nid) ?? 0, nid),
      flags: rejected ? eventFlags.rejected : 0,
      authNids: authEventNids.map((authNid) => this.#nids[authNid] ?? 0),
      common: text(isCommonKey),
      federation: text((key) => !isCommonKey(key)),
    };
  }
}

function pairNidOf(type: string, stateKey: string): number {
  const insertSql = "INSERT INTO state_pairs (type, state_key) VALUES (?, ?)";
  return findStatePair(db, type, stateKey) ?? db.insert(insertSql, type, stateKey);
}

function store(row: PendingStateEvent): void {
  const { eventNid, eventId, flags, common, federation, pairNid } = row;
  db.run(
    `INSERT INTO events (event_nid, event_id, room_nid, type_nid, sender_nid, depth, origin_server_ts, flags, common, federation)
     VALUES (?, ?, ?, 1, 1, 1, 1, ?, ?, ?)`,
    eventNid,
    eventId,
    roomNid,
    flags,
    common,
    federation,
  );
  insertAuthEdges(db, { ...row, roomNid }, pairNid);
}

/** The states as snapshots that are derived from each other. */
async function snapshotsOf(states: readonly StateMap[], { parents, pendingSnapshots, steps }: Storing) {
  const snapshots = new StateSnapshots(
    { snapshot: (nid) => Promise.resolve(readSnapshot(db, nid)) },
    () => ++lastSnapshotNid,
  );
  const made: { readonly nid: number; readonly state: StateMap }[] = [];
  const rows: SnapshotRow[] = [];
  for (const [index, state] of states.entries()) {
    const parent = made[(parents[index] ?? 0) % (made.length + 1)];
    const first = parent ? undefined : snapshots.first(new Map());
    if (first) rows.push(first);
    let nid = parent?.nid ?? first?.snapshotNid ?? 0;
    const changes = [...differenceOf(parent?.state ?? new Map(), state)];
    const size = Math.max(1, Math.ceil(changes.length / steps));
    for (let start = 0; start < changes.length; start += size) {
      const row = await snapshots.derive(nid, new Map(changes.slice(start, start + size)));
      rows.push(row);
      nid = row.snapshotNid;
    }
    made.push({ nid, state });
  }
  const stored = rows.slice(0, Math.max(0, rows.length - pendingSnapshots));
  for (const { snapshotNid, parentNid, height, delta } of stored) {
    db.run("INSERT INTO state_snapshots VALUES (?, ?, ?, ?)", snapshotNid, parentNid, height, delta);
  }
  return { nids: made.map(({ nid }) => nid), pending: rows.slice(stored.length) };
}

/** Snapshots differ where the states themselves do, and have in common what those have. */
function checkForks(forks: ForkedSnapshots, states: readonly StateMap[]): void {
  const { common, conflicted } = separateState(states);
  equal(forks.count, states.length);
  deepEqual(new Map(forks.conflicted), conflicted);
  for (const pair of new Set(states.flatMap((state) => [...state.keys()]))) {
    equal(forks.unconflicted(pair), common.get(pair));
  }
  const events = [...common.values()].toSorted((a, b) => a - b);
  const middle = events[events.length >> 1] ?? 0;
  deepEqual(
    [...forks.unconflictedAbove(middle)].toSorted((a, b) => a - b),
    events.filter((event) => event > middle),
  );
}

/** What storage makes of the newest states of a random room, and what the algorithm says of them. */
async function check(
  version: RoomVersion,
  history: Parameters<typeof play>[1],
  storing: Storing,
): Promise<number> {
  const branches = play(version, history);
  const dag = branches[0]?.dag;
  if (!dag) throw new Error("a random room has branches");
  const states = branches.slice(-4).map(({ state }) => state);
  const room = new StoredRoom(dag, dag.size, storing);
  const stored = states.map((state) => room.state(state));
  const { nids, pending } = await snapshotsOf(stored, storing);
  checkForks(new ForkedSnapshots(db, nids, new Map(pending.map((row) => [row.snapshotNid, row]))), stored);
  const { snapshotNid, changes } = resolve(db, {
    roomNid,
    version: version.id,
    snapshotNids: nids,
    pendingSnapshots: pending,
    pendingEvents: room.pendingEvents,
  });
  const nearest = stored[nids.indexOf(snapshotNid)];
  const resolved = new Map(nearest);
  for (const [pair, event] of changes) {
    ok(resolved.get(pair) !== event, "a change changes something");
    if (event === undefined) resolved.delete(pair);
    else resolved.set(pair, event);
  }
  const expected =
    version.stateResolution === "v1" ? resolveState(version, states, dag) : resolvePlainly(dag, states);
  deepEqual(sorted(resolved), sorted(room.state(expected)));
  return changes.size;
}

function sorted(state: StateMap): (readonly [number, number])[] {
  return [...state].sort(([a], [b]) => a - b);
}

for (const id of ["1", "2", "6", "11", "12"]) {
  t.test(`version ${id}: stored states are resolved as the algorithm says`, async (t) => {
    let changed = 0;
    await fc.assert(
      fc.asyncProperty(histories, storings, async (history, storing) => {
        changed += Math.min(1, await check(versionNamed(id), history, storing));
      }),
      { numRuns: 60 },
    );
    t.ok(changed > 3, `${changed} made something new`);
  });
}
