import { LRUCache } from "lru-cache";
import type { EventId } from "../../../protocol/identifiers.ts";
import { toRoomEvent } from "../../../protocol/room-event.ts";
import { type RoomVersion, roomVersion } from "../../../protocol/room-versions.ts";
import { walkAuthChainDifference } from "../../../protocol/state-resolution/auth-chain-difference.ts";
import { walkConflictedSubgraph } from "../../../protocol/state-resolution/conflicted-subgraph.ts";
import { resolveState } from "../../../protocol/state-resolution/resolve-state.ts";
import type {
  AuthGraph,
  ResolvableEvent,
  ResolutionSource,
  StateMap,
} from "../../../protocol/state-resolution/types.ts";
import { decodeDelta, decodeNids, differenceOf, type StateDelta } from "../../../state/delta.ts";
import { pduOf } from "../../../state/event-text.ts";
import { eventFlags } from "../../events.ts";
import type { PendingStateEvent, ResolutionRequest, SnapshotRow } from "../../state.ts";
import type { Connection } from "../engine/connection.ts";
import { findStatePair } from "./names.ts";

const snapshotSql = `SELECT snapshot_nid AS snapshotNid, parent_nid AS parentNid, height, delta
  FROM state_snapshots WHERE snapshot_nid = ?`;
const eventSql = `SELECT event_nid AS eventNid, event_id AS eventId, flags, auth_nids AS authNids, common, federation
  FROM events JOIN event_auth USING (event_nid) WHERE event_nid = ?`;
const authSql = "SELECT auth_nids AS authNids FROM event_auth WHERE event_nid = ?";

export function readSnapshot(db: Connection, snapshotNid: number): SnapshotRow | undefined {
  return db.get<SnapshotRow>(snapshotSql, snapshotNid);
}

const lateEdgesSql = "SELECT event_nid AS nid FROM late_auth_edges WHERE room_nid = ?";

/** @throws Error when a snapshot or an event is missing, or the room version is unknown */
export function resolve(db: Connection, request: ResolutionRequest): StateDelta {
  const version = roomVersion(request.version);
  if (!version) throw new Error(`there is no room version ${request.version}`);
  const pending = new Map(request.pendingSnapshots.map((row) => [row.snapshotNid, row]));
  const known = statesKnownTo(db);
  const states = request.snapshotNids.map((nid) => readState(db, known, nid, pending));
  const [first] = states;
  if (!first) return new Map();
  const resolved = resolveState(version, states, new StoredEvents(db, version, request));
  return differenceOf(first, resolved);
}

type KnownStates = LRUCache<number, StateMap>;

/** Bounds memory: a map costs about 40 bytes an entry. While a fork lasts, its states are resolved again and again. */
const cachedEntries = 300_000;
const knownStates = new WeakMap<Connection, KnownStates>();

function statesKnownTo(db: Connection): KnownStates {
  const known = knownStates.get(db);
  if (known) return known;
  const made: KnownStates = new LRUCache({
    maxSize: cachedEntries,
    sizeCalculation: (state) => state.size + 1,
  });
  knownStates.set(db, made);
  return made;
}

/** A whole state: a snapshot with all that it is derived from. It is kept for the next time, and not to be changed. */
function readState(
  db: Connection,
  known: KnownStates,
  snapshotNid: number,
  pending: ReadonlyMap<number, SnapshotRow>,
): StateMap {
  const deltas: StateDelta[] = [];
  let start: StateMap | undefined;
  for (let nid: number | null = snapshotNid; nid !== null && !start; ) {
    start = known.get(nid);
    if (start) break;
    const row: SnapshotRow | undefined = pending.get(nid) ?? readSnapshot(db, nid);
    if (!row) throw new Error(`state snapshot ${nid} is missing`);
    deltas.push(decodeDelta(row.delta));
    nid = row.parentNid;
  }
  if (start && deltas.length === 0) return start;
  const state = new Map<number, number>(start);
  for (const delta of deltas.toReversed()) {
    for (const [pair, event] of delta) {
      if (event === undefined) state.delete(pair);
      else state.set(pair, event);
    }
  }
  known.set(snapshotNid, state);
  return state;
}

/** What state resolution asks of events, from storage and from those that are on their way there. */
class StoredEvents implements ResolutionSource, AuthGraph {
  readonly #db: Connection;
  readonly #version: RoomVersion;
  readonly #pending: ReadonlyMap<number, PendingStateEvent>;
  readonly #authEventNids = new Map<number, readonly number[]>();
  readonly #roomNid: number;
  #lateEdges: ReadonlySet<number> | undefined;

  constructor(db: Connection, version: RoomVersion, { roomNid, pendingEvents }: ResolutionRequest) {
    this.#db = db;
    this.#version = version;
    this.#roomNid = roomNid;
    this.#pending = new Map(pendingEvents.map((event) => [event.eventNid, event]));
  }

  event(nid: number): ResolvableEvent {
    const event = this.#pending.get(nid) ?? this.#read(nid);
    const { eventId, flags, authNids } = event;
    const pdu = pduOf(event, this.#version.strictCanonicalJson);
    return {
      nid,
      roomEvent: toRoomEvent(this.#version, pdu, eventId as EventId),
      authEventNids: authNids,
      rejected: (flags & eventFlags.rejected) !== 0,
    };
  }

  pair(type: string, stateKey: string): number | undefined {
    return findStatePair(this.#db, type, stateKey);
  }

  authEventNids(nid: number): readonly number[] {
    const known = this.#authEventNids.get(nid) ?? this.#pending.get(nid)?.authNids;
    if (known) return known;
    const row = this.#db.get<{ authNids: Buffer }>(authSql, nid);
    const authNids = row ? decodeNids(row.authNids) : [];
    this.#authEventNids.set(nid, authNids);
    return authNids;
  }

  /** An event comes after what it rests on, and so has a greater integer; the exceptions are noted. */
  isBelow(nid: number, other: number): boolean {
    if (nid >= other) return false;
    this.#lateEdges ??= new Set(
      this.#db.all<{ nid: number }>(lateEdgesSql, this.#roomNid).map((row) => row.nid),
    );
    return !this.#lateEdges.has(nid);
  }

  authChainDifference(stateSets: readonly StateMap[]): ReadonlySet<number> {
    return walkAuthChainDifference(this, stateSets);
  }

  conflictedSubgraph(conflicted: ReadonlySet<number>): ReadonlySet<number> {
    return walkConflictedSubgraph(this, conflicted);
  }

  #read(nid: number): PendingStateEvent {
    type Row = Omit<PendingStateEvent, "authNids"> & { readonly authNids: Buffer };
    const row = this.#db.get<Row>(eventSql, nid);
    if (!row) throw new Error(`state event ${nid} is missing`);
    return { ...row, authNids: decodeNids(row.authNids) };
  }
}
