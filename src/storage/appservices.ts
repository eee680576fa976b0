import type { StreamChange } from "./streams.ts";

/** A transaction for an application service. */
export interface AppserviceTransaction {
  /** Unique among those of its application service, and growing. */
  readonly transactionId: number;
  /** JSON, as it is sent. */
  readonly body: string;
  /** Positions of messages to devices that nobody else reads: they go when the transaction is acknowledged. */
  readonly takenMessages: readonly number[];
}

/** How far an application service has been told. */
export interface AppserviceProgress {
  readonly appserviceId: string;
  /** Everything up to this position has been acknowledged, or is in the transaction that waits. */
  readonly upTo: number;
  readonly lastTransaction: number;
  /** Since when it cannot be told, in milliseconds since the epoch; `null` while it can. */
  readonly failingSinceTs: number | null;
  readonly lastError: string | null;
  /** The transaction that it has not acknowledged. */
  readonly waiting: AppserviceTransaction | null;
}

/** A step forward in what an application service is told. */
export interface AppserviceStep {
  readonly upTo: number;
  /** The transaction that has been acknowledged, if it is the one that waits. */
  readonly acknowledged: number | null;
  /** The transaction that waits from now on. */
  readonly next: AppserviceTransaction | null;
}

/** A change of a local user's membership in a room. */
export interface RoomMembershipChange {
  readonly userNid: number;
  readonly userId: string;
  readonly position: number;
  readonly isJoined: boolean;
}

/** An event's place. */
export interface RoomPosition {
  readonly roomNid: number;
  readonly position: number;
}

/** A message to a device, as an application service gets it. */
export interface AppserviceMessage {
  readonly position: number;
  readonly userId: string;
  readonly deviceId: string;
  /** The event as JSON. */
  readonly event: string;
}

/** What application services have been told, and what there is to tell (application service API, "Pushing events"). */
export interface AppserviceStore {
  /**
   * Those that are to be told from now on: whoever is new begins at a position, and of others nothing is kept.
   * @returns how far each of them is, in no particular order
   */
  begin(appserviceIds: readonly string[], position: number): Promise<AppserviceProgress[]>;
  /** How far each of them is, for administrators. Of a transaction that waits its body is left away. */
  standing(): Promise<Omit<AppserviceProgress, "waiting">[]>;
  /** Forgets the directories of all application services but these. */
  keepDirectories(appserviceIds: readonly string[]): Promise<void>;
  /** Goes forward: all of it or nothing. Without an acknowledgement there must be no transaction that waits before `next`. */
  step(appserviceId: string, step: AppserviceStep): Promise<void>;
  /** Notes that an application service cannot be told, for administrators. */
  failed(appserviceId: string, error: string, nowTs: number): Promise<void>;
  /**
   * Changes after one position, up to another, in order: of timelines, current memberships, receipts (as `notifications`),
   * presence, messages to devices, device lists and one-time keys. For who is too far behind for the notifier's memory.
   */
  changesBetween(after: number, upTo: number): Promise<StreamChange[]>;
  /** Every change of a local user's membership in a room, oldest first. */
  localMemberships(roomNid: number): Promise<RoomMembershipChange[]>;
  /** The events at places of timelines, in their order; places that are empty are left out. */
  eventNidsAt(places: readonly RoomPosition[]): Promise<number[]>;
  /** The messages to devices at positions, in order; those that are gone are left out. */
  messagesAt(positions: readonly number[]): Promise<AppserviceMessage[]>;
  setListed(appserviceId: string, networkId: string, roomNid: number, isListed: boolean): Promise<void>;
}
