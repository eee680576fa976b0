/** How many unread events of a room would notify (client-server API, "Receiving notifications"). */
export interface UnreadCounts {
  readonly notifications: number;
  readonly highlights: number;
}

export interface RoomUnreadCounts {
  /** Of the room's main timeline alone when threads are counted apart. */
  readonly room: UnreadCounts;
  /** By thread root; threads without any are left out. */
  readonly threads: ReadonlyMap<string, UnreadCounts>;
}

/** Counts unread notifications. */
export interface UnreadCountStream {
  /** Rooms whose counts have changed after `since`, up to `upTo`. */
  changedRooms(userNid: number, since: number, upTo: number): Promise<readonly number[]>;
  /**
   * By room; a room that is left out has none.
   * @param perThread whether threads are counted apart
   */
  counts(
    userNid: number,
    roomNids: readonly number[],
    perThread: boolean,
  ): Promise<ReadonlyMap<number, RoomUnreadCounts>>;
}
