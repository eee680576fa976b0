/** Whose keys a client has to fetch again, and whose it need not follow any more. Users by integer ID, no order. */
export interface DeviceListChanges {
  readonly changed: readonly number[];
  readonly left: readonly number[];
}

/**
 * Who has changed devices or cross-signing keys. There is no upper bound to the positions looked at: a change that is
 * told early is told again later, which costs a client one more query, while one that is missed costs messages.
 */
export interface DeviceListStore {
  /** How many changes after a position `changes` would have to look at, counted up to `limit`; the limit stands for much. */
  countChanges(userNid: number, since: number, limit: number): Promise<number>;
  /**
   * What has changed for a user after a position. Changed: who shares a room with the user and has new keys, who has
   * come to share one, and whose master key the user has signed. Left: who shares no room any more.
   */
  changes(userNid: number, since: number): Promise<DeviceListChanges>;
  /** The same on a reading worker: for many changes. */
  manyChanges(userNid: number, since: number): Promise<DeviceListChanges>;
}
