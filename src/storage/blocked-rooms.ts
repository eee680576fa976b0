export interface BlockedRoom {
  readonly roomId: string;
  /** The user ID of the administrator. */
  readonly blockedBy: string;
  readonly blockedTs: number;
}

/** Rooms that nobody of this server may join. */
export interface BlockedRoomStore {
  find(roomId: string): Promise<BlockedRoom | undefined>;
  /** Who has blocked it first stays noted. */
  add(room: BlockedRoom): Promise<void>;
  remove(roomId: string): Promise<void>;
}
