/** Snapshots of a room that may have become superfluous. */
export interface DroppedSnapshots {
  /** Those to which something has ceased to refer, and what they are derived from; ascending. */
  readonly snapshotNids: readonly number[];
  /** Nothing has ceased to refer to one since, as long as this is what `remove` finds. */
  readonly generation: number;
}

/** How far the look through a room's events has come: first those without a place in the timeline. */
export interface ReferenceCursor {
  readonly isPlaced: boolean;
  /** An integer ID or, of those that have a place, a position. */
  readonly after: number;
}

export interface References {
  readonly snapshotNids: readonly number[];
  /** `null` once all events have been looked at. */
  readonly next: ReferenceCursor | null;
}

/** For taking state snapshots away that nothing refers to any more. */
export interface SnapshotCollectionStore {
  /** The next room, by integer ID, that may have such. Not one that is being removed: there they go with everything. */
  nextRoom(afterRoomNid: number): Promise<number | undefined>;
  /** @param limit of those that were dropped; what they are derived from comes on top, and is bounded too */
  dropped(roomNid: number, limit: number): Promise<DroppedSnapshots>;
  /**
   * The snapshots that are reached from some of a room's events, or are its current state, with what they are derived from.
   * @param lowestNid older ones are left out
   */
  references(roomNid: number, cursor: ReferenceCursor, limit: number, lowestNid: number): Promise<References>;
  /**
   * Takes snapshots away, and what was noted of others that are referred to.
   * @returns the generation to go on with; `undefined`, and nothing is done, when something has ceased to refer to one since
   */
  remove(
    roomNid: number,
    generation: number,
    unused: readonly number[],
    used: readonly number[],
  ): Promise<number | undefined>;
}
