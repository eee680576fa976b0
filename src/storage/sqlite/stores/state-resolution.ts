import type { EventId } from "../../../protocol/identifiers.ts";
import { toRoomEvent } from "../../../protocol/room-event.ts";
import { type RoomVersion, roomVersion } from "../../../protocol/room-versions.ts";
import { resolveForks } from "../../../protocol/state-resolution/resolve-state.ts";
import {
  firstInLine,
  type Succession,
  successionAfter,
} from "../../../protocol/state-resolution/succession.ts";
import type {
  ForkedStates,
  ResolvableEvent,
  ResolutionSource,
} from "../../../protocol/state-resolution/types.ts";
import { decodeNids } from "../../../state/delta.ts";
import { pduOf } from "../../../state/event-text.ts";
import { eventFlags } from "../../events.ts";
import type { PendingStateEvent, Resolution, ResolutionRequest } from "../../state.ts";
import type { Connection } from "../engine/connection.ts";
import { type AuthEdges, predecessorAmong, readAuthEdges, readLateEvents } from "./auth-edges.ts";
import { ForkedSnapshots } from "./forked-snapshots.ts";
import { findStatePair } from "./names.ts";

/** @throws Error when a snapshot or an event is missing, or the room version is unknown */
export function resolve(db: Connection, request: ResolutionRequest): Resolution {
  const version = roomVersion(request.version);
  if (!version) throw new Error(`there is no room version ${request.version}`);
  const pending = new Map(request.pendingSnapshots.map((row) => [row.snapshotNid, row]));
  const forks = new ForkedSnapshots(db, request.snapshotNids, pending);
  const resolved = resolveForks(version, forks, new StoredEvents(db, version, request));
  return nearest(request.snapshotNids, forks, resolved);
}

/** The resolved state as what it changes in the one of the states that it is most like: the first of those. */
function nearest(
  snapshotNids: readonly number[],
  { conflicted }: ForkedStates,
  resolved: ReadonlyMap<number, number>,
): Resolution {
  let best: Resolution | undefined;
  for (const [index, snapshotNid] of snapshotNids.entries()) {
    const changes = new Map<number, number | undefined>();
    for (const [pair, event] of resolved)
      if (conflicted.get(pair)?.[index] !== event) changes.set(pair, event);
    for (const [pair, events] of conflicted) {
      if (events[index] !== undefined && !resolved.has(pair)) changes.set(pair, undefined);
    }
    if (!best || changes.size < best.changes.size) best = { snapshotNid, changes };
  }
  if (!best) throw new Error("there are no states to resolve");
  return best;
}

const eventsSql = `SELECT event_nid AS eventNid, event_id AS eventId, flags, auth_nids AS authNids, common, federation
  FROM events JOIN event_auth USING (event_nid) WHERE event_nid IN (SELECT value FROM json_each(?))`;

type EventRow = Omit<PendingStateEvent, "authNids" | "pairNid"> & { readonly authNids: Buffer };

/** What state resolution asks of events, from storage and from those that are on their way there. */
class StoredEvents implements ResolutionSource {
  readonly #db: Connection;
  readonly #version: RoomVersion;
  readonly #roomNid: number;
  readonly #pending: ReadonlyMap<number, PendingStateEvent>;
  readonly #edges = new Map<number, AuthEdges | undefined>();
  readonly #pairs = new Map<string, number | undefined>();
  #lateEvents: ReadonlySet<number> | undefined;

  constructor(db: Connection, version: RoomVersion, { roomNid, pendingEvents }: ResolutionRequest) {
    this.#db = db;
    this.#version = version;
    this.#roomNid = roomNid;
    this.#pending = new Map(pendingEvents.map((event) => [event.eventNid, event]));
  }

  events(nids: readonly number[]): ResolvableEvent[] {
    const pending = nids.map((nid) => this.#pending.get(nid)).filter((event) => event !== undefined);
    const stored = nids.filter((nid) => !this.#pending.has(nid));
    const rows = stored.length === 0 ? [] : this.#db.all<EventRow>(eventsSql, JSON.stringify(stored));
    if (rows.length < stored.length)
      throw new Error(`of the state events ${stored.join(", ")} some are missing`);
    return [
      ...pending.map((event) => this.#resolvable(event, event.authNids)),
      ...rows.map((row) => this.#resolvable(row, decodeNids(row.authNids))),
    ];
  }

  pair(type: string, stateKey: string): number | undefined {
    const key = JSON.stringify([type, stateKey]);
    const known = this.#pairs.get(key);
    if (known !== undefined || this.#pairs.has(key)) return known;
    const pairNid = findStatePair(this.#db, type, stateKey);
    this.#pairs.set(key, pairNid);
    return pairNid;
  }

  authEventNids(nid: number): readonly number[] {
    return this.#edgesOf(nid)?.authNids ?? [];
  }

  pairOf(nid: number): number | undefined {
    return this.#edgesOf(nid)?.pairNid;
  }

  succession(nid: number): Succession {
    return this.#edgesOf(nid)?.succession ?? firstInLine;
  }

  get lateEvents(): ReadonlySet<number> {
    this.#lateEvents ??= readLateEvents(this.#db, this.#roomNid);
    return this.#lateEvents;
  }

  #edgesOf(nid: number): AuthEdges | undefined {
    const known = this.#edges.get(nid);
    if (known || this.#edges.has(nid)) return known;
    const pending = this.#pending.get(nid);
    const edges = pending ? this.#edgesOfPending(pending) : readAuthEdges(this.#db, nid);
    this.#edges.set(nid, edges);
    return edges;
  }

  #edgesOfPending({ authNids, pairNid }: PendingStateEvent): AuthEdges {
    const predecessor = predecessorAmong(authNids, (authNid) => this.pairOf(authNid) === pairNid);
    return { authNids, pairNid, succession: successionAfter(this, predecessor) };
  }

  #resolvable(row: Omit<EventRow, "authNids">, authEventNids: readonly number[]): ResolvableEvent {
    const { eventNid, eventId, flags } = row;
    const pdu = pduOf(row, this.#version.strictCanonicalJson);
    return {
      nid: eventNid,
      roomEvent: toRoomEvent(this.#version, pdu, eventId as EventId),
      authEventNids,
      rejected: (flags & eventFlags.rejected) !== 0,
    };
  }
}
