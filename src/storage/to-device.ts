/** A message to devices of one user. */
export interface ToDeviceMessage {
  readonly userNid: number;
  /** One device, or `*` for all that the user has. */
  readonly deviceId: string;
  /** The event as it is sent, as JSON: sender, type and content. */
  readonly event: string;
}

/** A request to send, told from its repetition. */
export interface ToDeviceTransaction {
  readonly userNid: number;
  readonly deviceId: string;
  readonly eventType: string;
  readonly transactionId: string;
  readonly createdTs: number;
  /** Transactions from before this time are forgotten. */
  readonly forgetBeforeTs: number;
}

/** Messages to devices of users of one other server: the content of an m.direct_to_device EDU, as JSON. */
export interface RemoteToDevice {
  readonly serverName: string;
  readonly content: string;
}

/** A message of another server, told from its repetition. */
export interface ReceivedToDevice {
  readonly origin: string;
  readonly messageId: string;
  readonly receivedTs: number;
  /** Messages from before this time are forgotten. */
  readonly forgetBeforeTs: number;
}

/** How much may wait for one device, or for one other server. */
export interface InboxBound {
  readonly maxMessages: number;
  /** Of their events, as JSON. */
  readonly maxBytes: number;
}

/** A device whose inbox is full: it did not get the message. */
export interface FullInbox {
  readonly userNid: number;
  readonly deviceId: string;
}

export interface Delivery {
  /** How many devices got a message; one for each message that waits for another server. */
  readonly delivered: number;
  readonly full: readonly FullInbox[];
  /** Other servers for which so much waits already that they did not get the message. */
  readonly fullServers: readonly string[];
}

export interface WaitingMessage {
  readonly position: number;
  readonly event: string;
}

/** Messages that wait for devices (client-server API, "Send-to-Device messaging"). */
export interface ToDeviceStore {
  /**
   * Puts messages into the inboxes of local devices; devices that do not exist get none. A repeated transaction sends
   * nothing, unless all inboxes were full before. A message that an inbox has no room for is refused: what waits there is
   * never pushed out, since it may be the key of a conversation.
   * @param transaction `null` for what has its own protection against repetition
   * @param remote messages that wait for other servers; see `DestinationStore.toDevice`
   */
  send(
    messages: readonly ToDeviceMessage[],
    bound: InboxBound,
    transaction: ToDeviceTransaction | null,
    remote?: readonly RemoteToDevice[],
  ): Promise<Delivery>;
  /** Delivers what another server sends, once. */
  receive(
    received: ReceivedToDevice,
    messages: readonly ToDeviceMessage[],
    bound: InboxBound,
  ): Promise<Delivery>;
  /** What waits for a device after one position, up to another, in the order of sending. */
  messagesFor(
    userNid: number,
    deviceId: string,
    after: number,
    upTo: number,
    limit: number,
  ): Promise<WaitingMessage[]>;
  /** Whether any message up to a position is still stored: what the device has got by then can go. */
  hasUpTo(userNid: number, deviceId: string, upTo: number): Promise<boolean>;
  /** Forgets the messages that the device has got. */
  deleteUpTo(userNid: number, deviceId: string, upTo: number): Promise<void>;
}
