/** What is unread in one thread of a room. */
export interface ThreadCount {
  readonly notifications: number;
  readonly highlights: number;
  /** Positions of the first and the last event that notifies. */
  readonly first: number;
  readonly last: number;
}

/** How far unread notifications have been counted for a user in a room, and what came of it. */
export interface UnreadCheckpoint {
  readonly userNid: number;
  readonly roomNid: number;
  /** Events up to this position have been counted. */
  readonly countedUpTo: number;
  /** By thread ID; threads without unread notifications are left out. */
  readonly threads: ReadonlyMap<string, ThreadCount>;
}

/**
 * Counts that would take long to be made anew. Losing one costs time only. They go when their user leaves the room.
 */
export interface UnreadCheckpointStore {
  /** Those of a user in some rooms, in no particular order. */
  ofUser(userNid: number, roomNids: readonly number[]): Promise<UnreadCheckpoint[]>;
  /** Stores them in place of earlier ones. Nothing is stored for somebody who is not in the room. */
  save(checkpoints: readonly UnreadCheckpoint[]): Promise<void>;
}
