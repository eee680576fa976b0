/**
 * Everything a client can sync takes its position from one ever-growing sequence, so a sync token is one integer.
 * A stream says whom a position concerns: everybody in a room, one user, or everybody who shares a room with a user.
 */
export const streamScopes = {
  timeline: "room",
  receipts: "room",
  typing: "room",
  stickyEvents: "room",
  membership: "user",
  accountData: "user",
  toDevice: "user",
  oneTimeKeys: "user",
  userSignatures: "user",
  notifications: "user",
  erasures: "user",
  threadSubscriptions: "user",
  deviceUpdates: "user",
  deviceLists: "neighbours",
  presence: "neighbours",
  profiles: "neighbours",
} as const satisfies Record<string, "room" | "user" | "neighbours">;

export type Stream = keyof typeof streamScopes;

export const everyStream = Object.keys(streamScopes) as readonly Stream[];

/** One committed change: its position, its stream, and the integer ID of the room or user that it concerns. */
export interface StreamChange extends ChangeDetails {
  readonly position: number;
  readonly stream: Stream;
  readonly nid: number;
}

/** What those who keep copies in memory have to know of a change. */
export interface ChangeDetails {
  /** With the `membership` stream: what the user has become in which room. */
  readonly membership?: MembershipChange;
  /** With the `timeline` stream: the event that has come at its end, unless events are missing before it. */
  readonly eventNid?: number;
  /** With the `timeline` stream: the event that has lost its content to a redaction. */
  readonly redactedNid?: number;
  /** With the `timeline` stream: the event relates to another in a way that is summed up for clients. */
  readonly isBundled?: boolean;
  /** With the `timeline` stream: the pair of type and state key of a state event that has come. */
  readonly pairNid?: number;
  /** With the `timeline` stream: who has sent a message; neither state, reactions nor redactions are one. */
  readonly senderNid?: number;
  /** With the `timeline` stream: events have come that are older than others which were there. */
  readonly isHistory?: boolean;
  /** With the `timeline` stream: all members of a room have become known that was joined without them. */
  readonly isWhole?: boolean;
  /** With `isWhole`: the position of the join. */
  readonly partialSince?: number;
  /** With the `timeline` stream: events of which the states before and after them have been told anew, or that have gone. */
  readonly restatedNids?: readonly number[];
  /** With the `erasures` stream: whether the user's messages are hidden from now on, or shown again. */
  readonly isErased?: boolean;
  /** Of a room that has got a sticky event: until when it is that. */
  readonly stickyUntilTs?: number;
  /** With the `notifications` stream: the room in which the user has read. */
  readonly readRoomNid?: number;
}

export interface MembershipChange {
  readonly roomNid: number;
  readonly joined: boolean;
  /** The user is of another server. */
  readonly isRemote?: boolean;
  /** The server of a user who was made to leave, if it is in the room no more: it is to be told of it all the same. */
  readonly farewellTo?: string;
}

/** Told after each commit, in order; every position up to `position` is readable by then. */
export type CommitListener = (position: number, changes: readonly StreamChange[]) => void;

/** Told of faults that no caller waits for: work in the background that is tried again later. */
export type FaultListener = (error: unknown) => void;
