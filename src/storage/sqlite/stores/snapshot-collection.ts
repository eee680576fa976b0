import type {
  DroppedSnapshots,
  ReferenceCursor,
  References,
  SnapshotCollectionStore,
} from "../../snapshot-collection.ts";
import type { Connection } from "../engine/connection.ts";
import { point, scan, type StoreOperations, write, type WriteTransaction } from "../engine/operations.ts";
import { dropGeneration, dropSnapshot } from "./dropped-snapshots.ts";
import { keepNidsApart } from "./removed-nids.ts";

/** Bounds memory and time where what was dropped is derived from much else. */
const maxAncestors = 20_000;

interface ReferringEvent {
  readonly at: number;
  readonly stateBefore: number | null;
  readonly stateAfter: number | null;
  readonly roomState: number | null;
}

const states = "state_before AS stateBefore, state_after AS stateAfter, room_state AS roomState";
const unplacedSql = `SELECT event_nid AS at, ${states} FROM events
  WHERE room_nid = ? AND position IS NULL AND event_nid > ? ORDER BY event_nid LIMIT ?`;
const placedSql = `SELECT position AS at, ${states} FROM events
  WHERE room_nid = ? AND position IS NOT NULL AND position > ? ORDER BY position LIMIT ?`;

export const snapshotCollectionOperations: StoreOperations<SnapshotCollectionStore> = {
  nextRoom: point(
    (db, afterRoomNid: number) =>
      db.get<{ roomNid: number }>(
        `SELECT room_nid AS roomNid FROM dropped_snapshots JOIN rooms USING (room_nid)
         WHERE room_nid > ? AND is_removed = 0 ORDER BY room_nid LIMIT 1`,
        afterRoomNid,
      )?.roomNid,
  ),
  dropped: scan(dropped),
  references: scan(references),
  remove: write(remove),
};

function dropped(db: Connection, roomNid: number, limit: number): DroppedSnapshots {
  const rows = db.all<{ nid: number }>(
    "SELECT snapshot_nid AS nid FROM dropped_snapshots WHERE room_nid = ? ORDER BY snapshot_nid LIMIT ?",
    roomNid,
    limit,
  );
  const nids = rows.map(({ nid }) => nid);
  const reached = reachedFrom(db, nids, 0, nids.length + maxAncestors);
  return { snapshotNids: reached.toSorted((a, b) => a - b), generation: dropGeneration(db, roomNid) };
}

function references(
  db: Connection,
  roomNid: number,
  { isPlaced, after }: ReferenceCursor,
  limit: number,
  lowestNid: number,
): References {
  const events = db.all<ReferringEvent>(isPlaced ? placedSql : unplacedSql, roomNid, after, limit);
  const referred = new Set<number>();
  for (const { stateBefore, stateAfter, roomState } of events) {
    for (const nid of [stateBefore, stateAfter, roomState]) if (nid !== null) referred.add(nid);
  }
  const isEnd = events.length < limit;
  if (isEnd && isPlaced) {
    const sql = "SELECT current_snapshot AS nid FROM rooms WHERE room_nid = ?";
    const current = db.get<{ nid: number | null }>(sql, roomNid)?.nid ?? null;
    if (current !== null) referred.add(current);
  }
  const snapshotNids = reachedFrom(db, referred, lowestNid);
  const last = events.at(-1)?.at;
  if (!isEnd && last !== undefined) return { snapshotNids, next: { isPlaced, after: last } };
  return { snapshotNids, next: isPlaced ? null : { isPlaced: true, after: Number.MIN_SAFE_INTEGER } };
}

/** Snapshots and all that they are derived from, down to the lowest ID asked for; a snapshot is younger than its parent. */
function reachedFrom(
  db: Connection,
  nids: Iterable<number>,
  lowestNid: number,
  limit = Number.POSITIVE_INFINITY,
): number[] {
  const reached = new Set(nids);
  const parentSql = "SELECT parent_nid AS nid FROM state_snapshots WHERE snapshot_nid = ?";
  // What is added while it is gone through is gone through as well.
  for (const nid of reached) {
    if (reached.size >= limit) break;
    const parent = db.get<{ nid: number | null }>(parentSql, nid)?.nid ?? null;
    if (parent !== null && parent >= lowestNid) reached.add(parent);
  }
  return [...reached];
}

function remove(
  { db }: WriteTransaction,
  roomNid: number,
  generation: number,
  unused: readonly number[],
  used: readonly number[],
): number | undefined {
  if (dropGeneration(db, roomNid) > generation) return undefined;
  for (const nid of unused) removeSnapshot(db, roomNid, nid);
  for (const nid of used) {
    db.run("DELETE FROM dropped_snapshots WHERE room_nid = ? AND snapshot_nid = ?", roomNid, nid);
  }
  return Math.max(generation, dropGeneration(db, roomNid));
}

/** Takes a snapshot away that nothing refers to; perhaps nothing does to its parent either, then. */
export function removeSnapshot(db: Connection, roomNid: number, snapshotNid: number): void {
  const parent = db.get<{ nid: number | null }>(
    "DELETE FROM state_snapshots WHERE snapshot_nid = ? RETURNING parent_nid AS nid",
    snapshotNid,
  );
  db.run("DELETE FROM dropped_snapshots WHERE room_nid = ? AND snapshot_nid = ?", roomNid, snapshotNid);
  if (parent?.nid) dropSnapshot(db, roomNid, parent.nid);
  keepNidsApart(db, { snapshotNid });
}
