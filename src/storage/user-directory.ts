export interface UserSearch {
  /** Whom the results are for. */
  readonly userNid: number;
  /** Groups of words (see `searchWords`): each has to be in the name or the localpart; the last word may be cut short. */
  readonly phrases: readonly string[];
  /** How the users' server names begin. */
  readonly serverPrefix: string;
  /** Whether to find users who share no room with the searcher and are in no public room. */
  readonly searchAll: boolean;
  readonly limit: number;
}

export interface FoundUser {
  readonly userId: string;
  readonly displayName: string | null;
  readonly avatarUrl: string | null;
}

export interface MutualRoom {
  readonly roomNid: number;
  readonly roomId: string;
}

/**
 * Finds people by their names and by their rooms. Writes of accounts and profiles keep it up to date, and of users of
 * other servers `followRemote`.
 */
export interface UserDirectoryStore {
  /**
   * Local accounts that are neither deactivated nor locked, and users of other servers as rooms show them that the
   * searcher may see into; those who share a room with the searcher first.
   */
  search(search: UserSearch): Promise<readonly FoundUser[]>;
  /**
   * Takes up so many changes of memberships and member events.
   * @returns whether there are more
   */
  followRemote(limit: number): Promise<boolean>;
  /** Whether two users are in a room together that not everybody may join. */
  shareClosedRoom(userNid: number, otherNid: number): Promise<boolean>;
  /** Rooms that both users are joined to, after one of them, in a constant order; and how many there are in all. */
  mutualRooms(
    userNid: number,
    otherNid: number,
    after: number,
    limit: number,
  ): Promise<{ readonly rooms: readonly MutualRoom[]; readonly total: number }>;
}
