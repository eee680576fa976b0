/** How sending to another server stands. */
export interface DestinationRow {
  readonly serverName: string;
  /** Up to this position everything has been sent. */
  readonly sentUpTo: number;
  /** Up to this position it has been told of users' devices. */
  readonly deviceListsUpTo: number;
  /** Since when nothing gets through, in milliseconds since the epoch; `null` while all is well. */
  readonly failingSinceTs: number | null;
  readonly retryTs: number | null;
  readonly retryIntervalMs: number;
}

/** The newest event of a room that a server has to be sent. */
export interface UnsentRoom {
  readonly roomNid: number;
  readonly eventNid: number;
  readonly position: number;
}

export interface UnsentRooms {
  readonly rooms: readonly UnsentRoom[];
  /** Rooms whose newest event is at this position or before have been looked at; `null` when all have been. */
  readonly lookedUpTo: number | null;
}

export interface OutgoingToDevice {
  readonly messageNid: number;
  /** The content of an EDU, as JSON. */
  readonly content: string;
}

/** How far all servers have come that are owed nothing. */
export interface SettledDestinations {
  readonly sentUpTo: number;
  readonly deviceListsUpTo: number;
  /** Servers that are owed something. */
  readonly owed: readonly string[];
  /** Servers that are not to be forgotten. */
  readonly inUse: readonly string[];
}

/** Keeps what other servers are owed. */
export interface DestinationStore {
  /** Those of some servers that are known. */
  findAll(serverNames: readonly string[]): Promise<DestinationRow[]>;
  /** All that are known, for the time after a start. */
  all(): Promise<DestinationRow[]>;
  /** The newest event of all rooms, and the newest change of what servers are told of devices: their positions, or 0. */
  newestToTell(): Promise<{ readonly event: number; readonly deviceLists: number }>;
  save(rows: readonly DestinationRow[]): Promise<void>;
  /**
   * Remembers of all servers but some that they have been sent everything up to a position, and forgets those that share
   * no room with this one and are owed nothing.
   */
  settle(settled: SettledDestinations): Promise<void>;
  /** Servers that have users in a room, and of a partial one those that were told of when it was joined. */
  serversInRoom(roomNid: number): Promise<readonly string[]>;
  /** Servers that have users in a room, or have had since a position. */
  serversInRoomSince(roomNid: number, position: number): Promise<readonly string[]>;
  /** How many users of a server are joined to a room. */
  usersInRoom(roomNid: number, serverName: string): Promise<number>;
  /** Servers that share a room with a user. */
  serversOf(userNid: number): Promise<readonly string[]>;
  /** The same for each of several users, in their order. */
  serversOfEach(userNids: readonly number[]): Promise<readonly (readonly string[])[]>;
  /**
   * The rooms of a server in which this server has sent events after a position: the newest event of each. At most `limit`
   * rooms are looked at, those first that have been silent longest, and none whose newest event is at `lookedUpTo` or before.
   */
  unsentRooms(serverName: string, after: number, lookedUpTo: number, limit: number): Promise<UnsentRooms>;
  /** The oldest messages to devices that wait for a server; `ToDeviceStore.send` puts them there. */
  toDevice(serverName: string, limit: number): Promise<OutgoingToDevice[]>;
  removeToDevice(messageNids: readonly number[]): Promise<void>;
  /** The servers for which messages to devices wait. */
  withToDevice(): Promise<readonly string[]>;
  /** The oldest events that a server is to be sent of rooms that it is in no more; `CommitStore.commit` puts them there. */
  farewells(serverName: string, limit: number): Promise<readonly number[]>;
  removeFarewells(eventNids: readonly number[]): Promise<void>;
  /** The servers that are to be sent such. */
  withFarewells(): Promise<readonly string[]>;
}
