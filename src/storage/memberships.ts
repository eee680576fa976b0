export const membershipCodes = { invite: 1, join: 2, knock: 3, leave: 4, ban: 5 } as const;
export type Membership = keyof typeof membershipCodes;

const membershipNames: readonly (Membership | undefined)[] = [
  undefined,
  "invite",
  "join",
  "knock",
  "leave",
  "ban",
];

export function membershipOfCode(code: number): Membership {
  return membershipNames[code] ?? "leave";
}

/** What a user is in a room's current state. */
export interface MembershipRow {
  readonly roomNid: number;
  readonly userNid: number;
  readonly membership: Membership;
  /** The member event. */
  readonly eventNid: number;
  readonly position: number;
  readonly forgotten: boolean;
}

/** A change of a local user's membership, in order of position. */
export interface MembershipLogRow {
  readonly position: number;
  readonly roomNid: number;
  readonly membership: Membership;
  readonly eventNid: number;
}

/** A room that a user is joined to. */
export interface JoinedRoomRow {
  readonly roomNid: number;
  /** The member event. */
  readonly eventNid: number;
  /** Where the user came in. */
  readonly joinedAt: number;
}

export interface MemberCounts {
  readonly joined: number;
  readonly invited: number;
}

export interface MembershipStore {
  of(roomNid: number, userNid: number): Promise<MembershipRow | undefined>;
  /** The rooms of a user with one of these memberships; forgotten ones are left out. */
  roomsOf(userNid: number, memberships: readonly Membership[]): Promise<MembershipRow[]>;
  joinedRoomNids(userNid: number): Promise<readonly number[]>;
  /** The members of a room with one of these memberships, at most `limit`. */
  membersOf(roomNid: number, memberships: readonly Membership[], limit: number): Promise<MembershipRow[]>;
  /** The IDs of those who are joined to a room, at most `limit`. */
  joinedUserIds(roomNid: number, limit: number): Promise<readonly string[]>;
  /** Those with one of these memberships who have had it longest, oldest first. */
  oldestMembers(
    roomNid: number,
    memberships: readonly Membership[],
    limit: number,
  ): Promise<readonly number[]>;
  /** The IDs of users of another server who are or were members of a room, at most `limit`. */
  usersOfServer(roomNid: number, serverName: string, limit: number): Promise<readonly string[]>;
  counts(roomNid: number): Promise<MemberCounts>;
  /** Whether any user of a server is joined to a room. */
  hasJoinedFrom(roomNid: number, serverName: string): Promise<boolean>;
  /** Users of this server who are joined to a room, at most `limit`. */
  localJoinedNids(roomNid: number, limit: number): Promise<readonly number[]>;
  /** The guests of this server who are joined to a room, at most `limit`. */
  joinedGuestNids(roomNid: number, limit: number): Promise<readonly number[]>;
  /** The changes of a user's memberships after one position, up to another, oldest first. */
  changes(userNid: number, after: number, upTo: number): Promise<MembershipLogRow[]>;
  /** The last change of a user's membership in a room up to a position. */
  at(userNid: number, roomNid: number, position: number): Promise<MembershipLogRow | undefined>;
  /** Those of some rooms that a user of this server is joined to, in no particular order. */
  joinedAmong(userNid: number, roomNids: readonly number[]): Promise<JoinedRoomRow[]>;
  /** Every change of a user's membership in one room, oldest first. */
  history(userNid: number, roomNid: number): Promise<MembershipLogRow[]>;
  shareRoom(userNid: number, otherNid: number): Promise<boolean>;
  /** Returns false, and changes nothing, unless the user has left the room or is banned from it. */
  forget(userNid: number, roomNid: number): Promise<boolean>;
}
