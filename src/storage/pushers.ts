/** Where a user's notifications go: a push gateway, and one app on one device behind it. */
export interface Pusher {
  readonly pusherNid: number;
  readonly userNid: number;
  /** The device that has set it: they end together. */
  readonly deviceId: string;
  readonly appId: string;
  readonly pushkey: string;
  /** When it was last set, in milliseconds since the epoch. */
  readonly setTs: number;
  /** Whether it is told of anything (MSC3881). */
  readonly isEnabled: boolean;
  /** JSON text of the whole pusher, as its user has set it and gets it back. */
  readonly description: string;
}

export type NewPusher = Omit<Pusher, "pusherNid">;

export interface PusherChange {
  /** Whether other users keep theirs with the same app and pushkey. */
  readonly append: boolean;
  /** Whether it stays with the device that it has: another one has changed it. */
  readonly keepsDevice: boolean;
}

/** A pusher that has not got everything yet. */
export interface PusherBehind {
  readonly pusherNid: number;
  /** All up to this position has been delivered, or given up. */
  readonly deliveredUpTo: number;
}

export interface PushProgress {
  /** All up to this position has been judged, and delivered to every pusher that is not `behind`. */
  readonly upTo: number;
  readonly behind: readonly PusherBehind[];
  /** Pushers that are behind no longer. */
  readonly caughtUp: readonly number[];
}

/** What one user keeps; whoever sets more loses those that were set longest ago. */
export const maxPushersPerUser = 100;

/** Pushers (client-server API, "Push Notifications"), which go with their devices, and how far they have got. */
export interface PusherStore {
  /** In no particular order. */
  ofUser(userNid: number): Promise<Pusher[]>;
  byNid(pusherNid: number): Promise<Pusher | undefined>;
  /**
   * Makes a pusher, or replaces the user's own with the same app and pushkey, which stays where it has got to.
   */
  set(pusher: NewPusher, change: PusherChange): Promise<void>;
  /** Nothing happens when the user has none. */
  remove(userNid: number, appId: string, pushkey: string): Promise<void>;
  removeByNid(pusherNid: number): Promise<void>;
  /** Everybody who has a pusher. */
  userNids(): Promise<number[]>;
  /** The users with pushers among a room's joined members. */
  userNidsInRoom(roomNid: number): Promise<number[]>;
  /** `undefined` until progress has been saved once. */
  progress(): Promise<Pick<PushProgress, "upTo" | "behind"> | undefined>;
  saveProgress(progress: PushProgress): Promise<void>;
}
