/** Receipts that the server keeps; `m.fully_read` is room account data. */
export const receiptKinds = { "m.read": 1, "m.read.private": 2 } as const;
export type ReceiptKind = keyof typeof receiptKinds;

/** The thread of a receipt that goes for the whole room. */
export const unthreaded = "";
/** The thread ID of what is in no thread. */
export const mainThread = "main";

/** A user has read up to an event. */
export interface Receipt {
  readonly kind: ReceiptKind;
  /** `unthreaded`, `mainThread` or the event ID of a thread's root. */
  readonly thread: string;
  readonly eventId: string;
  /** Place of the event in the room's timeline. */
  readonly eventPosition: number;
  /** When it was sent, in milliseconds since the epoch. */
  readonly ts: number;
}

export interface ReceiptRow extends Receipt {
  readonly roomNid: number;
  readonly userNid: number;
  /** Of the receipt's last change, in the one stream. */
  readonly position: number;
}

/** Whose receipts, in which room. */
export interface ReceiptPlace {
  readonly userNid: number;
  readonly roomNid: number;
  readonly roomId: string;
}

/** A public receipt of a user of another server. */
export interface RemoteReceipt extends Receipt {
  readonly kind: "m.read";
  readonly userNid: number;
}

/** Where a user's fully read marker is to go. */
export interface FullyReadMarker {
  readonly eventId: string;
  readonly eventPosition: number;
  /** Whether it may go back from where it is. */
  readonly mayGoBack: boolean;
}

/** Which receipts of a room's threads one user keeps; older ones go. */
export const maxThreadReceipts = 1_000;

/**
 * Read receipts (client-server API, "Receipts"): for each user, room, kind and thread the event that they have read up to.
 * Public ones take positions in the stream `receipts`, and like the private ones in their user's `notifications`. They go
 * when their user leaves the room.
 */
export interface ReceiptStore {
  /**
   * Stores receipts, and the user's `m.fully_read` in the room's account data: all or none. What would move backwards
   * stays as it is, unless it is a marker that may.
   * @returns how many of them have moved
   */
  put(place: ReceiptPlace, receipts: readonly Receipt[], fullyRead: FullyReadMarker | null): Promise<number>;
  /** Stores what users of other servers have read in a room. What would move backwards stays as it is. */
  putRemote(roomNid: number, receipts: readonly RemoteReceipt[]): Promise<void>;
  /** A user's own receipts in some rooms. */
  ofUser(userNid: number, roomNids: readonly number[]): Promise<ReceiptRow[]>;
  /** What a user may see of a room's receipts that have changed after `since`, up to `upTo`; oldest change first. */
  changedBetween(roomNid: number, userNid: number, since: number, upTo: number): Promise<ReceiptRow[]>;
  /** Everybody's receipts in a room that have changed after `since`, up to `upTo`, private ones too; oldest change first. */
  allChangedBetween(roomNid: number, since: number, upTo: number): Promise<ReceiptRow[]>;
  /** Rooms in which anybody's receipts have changed after a position: at most `limit`, where they have changed last first. */
  roomsChangedAfter(position: number, limit: number): Promise<number[]>;
  /** Up to which position other servers had been told; 0 when that has never been stored. */
  toldUpTo(): Promise<number>;
  saveToldUpTo(position: number): Promise<void>;
  /** What a user may see of rooms' receipts: their own, and of the others the `limit` newest of each room. */
  newest(roomNids: readonly number[], userNid: number, upTo: number, limit: number): Promise<ReceiptRow[]>;
  /** The rooms in which a user's own receipts have changed after `since`, up to `upTo`. */
  roomsReadBetween(userNid: number, since: number, upTo: number): Promise<number[]>;
}
