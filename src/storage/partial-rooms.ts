/** A room that was joined without learning of all its members. */
export interface PartialRoomRow {
  readonly roomNid: number;
  /** The join by which this server has come into the room. */
  readonly joinId: string;
  /** The servers that were in the room then, that by which the user has come in first. */
  readonly servers: readonly string[];
}

export interface PartialRoomStore {
  all(): Promise<readonly PartialRoomRow[]>;
  /** Rooms of which all members have become known since they were joined, with the position of that. */
  completed(): Promise<readonly { readonly roomNid: number; readonly position: number }[]>;
  /** Ends what the room may have been partial by before. */
  begin(row: PartialRoomRow): Promise<void>;
  /** Whether others have made a user of this server leave since the join, which has been judged without all members. */
  isLeftByOthers(roomNid: number): Promise<boolean>;
  /**
   * The members are of no interest any more. What other servers have sent since the join is not shown any longer, as it has
   * been judged without them, but for what made users of this server leave. `CommitStore.restate` ends it otherwise.
   */
  end(roomNid: number): Promise<void>;
}
