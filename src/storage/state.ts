import type { StateDelta } from "../state/delta.ts";

/** A state snapshot as stored: its parent, and the entries in which it differs. */
export interface SnapshotRow {
  readonly snapshotNid: number;
  readonly parentNid: number | null;
  /** Place in a line of snapshots, counted from its first one. */
  readonly height: number;
  /** Encoded by `state/delta.ts`. */
  readonly delta: Uint8Array;
}

/** A state event that is on its way into storage, as far as state resolution looks at it. */
export interface PendingStateEvent {
  readonly eventNid: number;
  readonly eventId: string;
  readonly pairNid: number;
  readonly flags: number;
  readonly authNids: readonly number[];
  readonly common: string;
  readonly federation: string;
}

/** Which states to resolve, and what of them is not in storage yet. */
export interface ResolutionRequest {
  readonly roomNid: number;
  /** The room version's ID. */
  readonly version: string;
  readonly snapshotNids: readonly number[];
  readonly pendingSnapshots: readonly SnapshotRow[];
  readonly pendingEvents: readonly PendingStateEvent[];
}

/** A resolved state: one of those that have been resolved, with changes. */
export interface Resolution {
  readonly snapshotNid: number;
  readonly changes: StateDelta;
}

export interface StateStore {
  snapshot(snapshotNid: number): Promise<SnapshotRow | undefined>;
  /** Resolves states (room versions, "State resolution"). @returns the state that needs the fewest changes */
  resolve(request: ResolutionRequest): Promise<Resolution>;
}
