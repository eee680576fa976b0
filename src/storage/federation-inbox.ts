/** An event of another server that waits to enter its room's graph. Form, signatures and hash have been checked. */
export interface InboxEvent {
  readonly roomNid: number;
  readonly eventId: string;
  /** The server that sent it. */
  readonly origin: string;
  /** Canonical JSON. */
  readonly pdu: string;
  readonly receivedTs: number;
}

export interface InboxRow extends InboxEvent {
  readonly inboxNid: number;
}

/** Keeps received events until they have been judged: what has been acknowledged is not lost. A row goes when it has been. */
export interface FederationInboxStore {
  /**
   * Adds events, but for those that wait already.
   * @param maxWaiting for each room: what is beyond is left out, to be asked for when something follows it
   * @returns the IDs of those that were left out
   */
  add(events: readonly InboxEvent[], maxWaiting: number): Promise<readonly string[]>;
  /** A room's events that have waited longest. */
  next(roomNid: number, limit: number): Promise<InboxRow[]>;
  remove(inboxNids: readonly number[]): Promise<void>;
  /** The rooms for which something waits. */
  rooms(): Promise<readonly number[]>;
}
