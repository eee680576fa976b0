/** A state snapshot as stored: its parent, and the entries in which it differs. */
export interface SnapshotRow {
  readonly snapshotNid: number;
  readonly parentNid: number | null;
  /** Place in a line of snapshots, counted from its first one. */
  readonly height: number;
  /** Encoded by `state/delta.ts`. */
  readonly delta: Uint8Array;
}

export interface StateStore {
  snapshot(snapshotNid: number): Promise<SnapshotRow | undefined>;
}
