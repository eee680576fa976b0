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

/** @throws Error when a snapshot or an event is missing, or the room version is unknown */
export function resolve(db: Connection, request: ResolutionRequest): StateDelta {
  const version = roomVersion(request.version);
  if (!version) throw new Error(`there is no room version ${request.version}`);
  const pending = new Map(request.pendingSnapshots.map((row) => [row.snapshotNid, row]));
  const states = request.snapshotNids.map((nid) => readState(db, nid, pending));
  const [first] = states;
  if (!first) return new Map();
  const resolved = resolveState(version, states, new StoredEvents(db, version, request.pendingEvents));
  return differenceOf(first, resolved);
}

/** A whole state: a snapshot with all that it is derived from. */
function readState(db: Connection, snapshotNid: number, pending: ReadonlyMap<number, SnapshotRow>): StateMap {
  const deltas: StateDelta[] = [];
  for (let nid: number | null = snapshotNid; nid !== null; ) {
    const row: SnapshotRow | undefined = pending.get(nid) ?? readSnapshot(db, nid);
    if (!row) throw new Error(`state snapshot ${nid} is missing`);
    deltas.push(decodeDelta(row.delta));
    nid = row.parentNid;
  }
  const state = new Map<number, number>();
  for (const delta of deltas.toReversed()) {
    for (const [pair, event] of delta) {
      if (event === undefined) state.delete(pair);
      else state.set(pair, event);
    }
  }
  return state;
}

/** What state resolution asks of events, from storage and from those that are on their way there. */
class StoredEvents implements ResolutionSource, AuthGraph {
  readonly #db: Connection;
  readonly #version: RoomVersion;
  readonly #pending: ReadonlyMap<number, PendingStateEvent>;
  readonly #authEventNids = new Map<number, readonly number[]>();

  constructor(db: Connection, version: RoomVersion, pending: readonly PendingStateEvent[]) {
    this.#db = db;
    this.#version = version;
    this.#pending = new Map(pending.map((event) => [event.eventNid, event]));
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
