/** An event of another server that waits to enter its room's graph. Form, signatures and hash have been checked. */
export interface InboxEvent extends InboxLane {
  readonly eventId: string;
  /** Canonical JSON. */
  readonly pdu: string;
  readonly receivedTs: number;
}

/** What one server has sent of one room: that is judged in order, and waits for nothing else. */
export interface InboxLane {
  readonly roomNid: number;
  /** The server that sent it. */
  readonly origin: string;
}

export interface InboxRow extends InboxEvent {
  readonly inboxNid: number;
}

/** Keeps received events until they have been judged: what has been acknowledged is not lost. A row goes when it has been. */
export interface FederationInboxStore {
  /**
   * Adds events, but for those that wait already.
   * @param maxWaiting for each server and room: what is beyond is left out, to be asked for when something follows it
   * @returns the IDs of those that were left out
   */
  add(events: readonly InboxEvent[], maxWaiting: number): Promise<readonly string[]>;
  /**
   * The events of a lane that have waited longest.
   * @param after the number of one, to have those behind it
   * @param maxBytes of their JSON; a single one may have more
   */
  next(lane: InboxLane, after: number, limit: number, maxBytes: number): Promise<InboxRow[]>;
  remove(inboxNids: readonly number[]): Promise<void>;
  /** Where something waits, the longest first. */
  lanes(): Promise<readonly InboxLane[]>;
}
