/** A room as this server knows it. */
export interface RoomRow {
  readonly roomNid: number;
  readonly roomId: string;
  readonly version: string;
  /** The resolved state after all forward extremities; `null` before the first event. */
  readonly currentSnapshot: number | null;
  /** Position of the newest event of the timeline. */
  readonly lastPosition: number;
  readonly isPublic: boolean;
}

export interface ExtremityRow {
  readonly eventNid: number;
  readonly eventId: string;
  readonly depth: number;
}

export interface AliasRow {
  readonly alias: string;
  readonly roomNid: number;
  readonly creatorNid: number;
}

/** The highest integer IDs in use: whoever makes new events counts on from here. */
export interface HighestNids {
  readonly roomNid: number;
  readonly eventNid: number;
  readonly snapshotNid: number;
}

export interface RoomStore {
  /** @param evenRemoved also a room that is being removed */
  byId(roomId: string, evenRemoved?: boolean): Promise<RoomRow | undefined>;
  byNid(roomNid: number): Promise<RoomRow | undefined>;
  /** The rooms of a user that have events after a position. */
  joinedWithEventsAfter(userNid: number, position: number): Promise<readonly number[]>;
  /** All rooms that have events after a position. */
  withEventsAfter(position: number): Promise<readonly number[]>;
  extremities(roomNid: number): Promise<ExtremityRow[]>;
  highestNids(): Promise<HighestNids>;
  /** Makes a room that nothing is known of but its ID and version; nothing changes when there is one with that ID. */
  adopt(roomNid: number, roomId: string, version: string): Promise<void>;
  /** Sets the version of a room of which no event has been committed to its graph; returns false for any other. */
  correctVersion(roomNid: number, version: string): Promise<boolean>;
  setPublic(roomNid: number, isPublic: boolean): Promise<void>;
  alias(alias: string): Promise<AliasRow | undefined>;
  aliasesOf(roomNid: number): Promise<AliasRow[]>;
  /** Returns false, and changes nothing, when the alias is taken. */
  addAlias(alias: AliasRow): Promise<boolean>;
  removeAlias(alias: string): Promise<void>;
  /** Gives the aliases of one room and its place in the directory to another. */
  moveNames(fromNid: number, toNid: number): Promise<void>;
}
