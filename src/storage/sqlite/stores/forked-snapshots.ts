import { LRUCache } from "lru-cache";
import type { ForkedStates } from "../../../protocol/state-resolution/types.ts";
import { entryIn, PackedDelta } from "../../../state/packed-delta.ts";
import type { SnapshotRow } from "../../state.ts";
import type { Connection } from "../engine/connection.ts";

const snapshotSql = `SELECT snapshot_nid AS snapshotNid, parent_nid AS parentNid, height, delta
  FROM state_snapshots WHERE snapshot_nid = ?`;

export function readSnapshot(db: Connection, snapshotNid: number): SnapshotRow | undefined {
  return db.get<SnapshotRow>(snapshotSql, snapshotNid);
}

interface Snapshot {
  readonly parentNid: number | null;
  readonly delta: PackedDelta;
}

/** A snapshot and all that it is derived from, itself first. */
type Line = ReadonlyMap<number, PackedDelta>;

/** Bounds memory: an entry takes 16 bytes. While a fork lasts, its states are resolved again and again. */
const cachedEntries = 500_000;
const knownSnapshots = new WeakMap<Connection, LRUCache<number, Snapshot>>();

function snapshotsKnownTo(db: Connection): LRUCache<number, Snapshot> {
  const known = knownSnapshots.get(db);
  if (known) return known;
  const made = new LRUCache<number, Snapshot>({
    maxSize: cachedEntries,
    sizeCalculation: ({ delta }) => delta.cacheSize,
  });
  knownSnapshots.set(db, made);
  return made;
}

function readLine(db: Connection, snapshotNid: number, pending: ReadonlyMap<number, SnapshotRow>): Line {
  const known = snapshotsKnownTo(db);
  const line = new Map<number, PackedDelta>();
  for (let nid: number | null = snapshotNid; nid !== null; ) {
    const waiting = pending.get(nid);
    const snapshot: Snapshot | undefined = waiting ? unpacked(waiting) : known.get(nid);
    const { parentNid, delta }: Snapshot = snapshot ?? unpacked(readSnapshot(db, nid), nid);
    if (!snapshot) known.set(nid, { parentNid, delta });
    line.set(nid, delta);
    nid = parentNid;
  }
  return line;
}

function unpacked(row: SnapshotRow | undefined, nid = row?.snapshotNid): Snapshot {
  if (!row) throw new Error(`state snapshot ${nid} is missing`);
  return { parentNid: row.parentNid, delta: PackedDelta.decode(row.delta) };
}

/**
 * States that are snapshots. Where they differ is found by what they have put over the nearest snapshot from which all of
 * them are derived; of what lies below, no more is looked at than is asked for.
 */
export class ForkedSnapshots implements ForkedStates {
  readonly #lines: readonly Line[];
  readonly conflicted: ReadonlyMap<number, readonly (number | undefined)[]>;

  /** @throws Error when a snapshot is missing */
  constructor(db: Connection, snapshotNids: readonly number[], pending: ReadonlyMap<number, SnapshotRow>) {
    this.#lines = snapshotNids.map((nid) => readLine(db, nid, pending));
    this.conflicted = conflictsBetween(this.#lines);
  }

  get count(): number {
    return this.#lines.length;
  }

  unconflicted(pair: number): number | undefined {
    if (this.conflicted.has(pair)) return undefined;
    const [line] = this.#lines;
    return line && entryIn(line.values(), pair)?.event;
  }

  *unconflictedAbove(nid: number): Iterable<number> {
    for (const delta of this.#lines[0]?.values() ?? []) {
      for (const [pair, event] of delta.above(nid)) if (this.unconflicted(pair) === event) yield event;
    }
  }
}

function conflictsBetween(lines: readonly Line[]): Map<number, readonly (number | undefined)[]> {
  const [first, ...others] = lines;
  const shared = first?.keys().find((nid) => others.every((line) => line.has(nid)));
  const ends = lines.map((line) => deltasUntil(line, shared));
  const base = first && shared !== undefined ? [...first.values()].slice(ends[0]?.length) : [];
  const pairs = new Set<number>();
  for (const delta of ends.flat()) for (const pair of delta.pairs()) pairs.add(pair);
  const conflicts = new Map<number, readonly (number | undefined)[]>();
  for (const pair of pairs) {
    const below = entryIn(base, pair)?.event;
    const events = ends.map((deltas) => {
      const entry = entryIn(deltas, pair);
      return entry ? entry.event : below;
    });
    if (events.some((event) => event !== events[0])) conflicts.set(pair, events);
  }
  return conflicts;
}

/** What a line has put over one of its snapshots; all of it without one. */
function deltasUntil(line: Line, snapshotNid: number | undefined): PackedDelta[] {
  const deltas: PackedDelta[] = [];
  for (const [nid, delta] of line) {
    if (nid === snapshotNid) break;
    deltas.push(delta);
  }
  return deltas;
}
