import type { ContactAddress } from "./contacts.ts";

/** What a message is about; its words are in `delivery/texts`. */
export type MessageKind =
  /** Prove an address for a new account, for one that there is, or for another password. */
  | "confirm-registration"
  | "confirm-address"
  | "confirm-password-reset"
  /** The address is somebody's already, or nobody's. */
  | "already-registered"
  | "address-in-use"
  | "no-such-account"
  | "password-changed"
  | "room-invitation";

/** A message to an address outside of Matrix. */
export interface NewDelivery extends ContactAddress {
  readonly kind: MessageKind;
  /** The recipient's language: the name of a set of texts. */
  readonly language: string;
  /** What stands in the text. No secrets: tokens are made when the message is sent. */
  readonly values: Readonly<Record<string, string>>;
  /** When nobody needs it any more. */
  readonly expiresTs: number;
}

export interface Delivery extends NewDelivery {
  readonly deliveryNid: number;
  /** Failed ones. */
  readonly attempts: number;
}

/** Messages that are to be sent: a row goes when its message has been sent, is refused for good, or has expired. */
export interface DeliveryStore {
  /** False when too many wait. */
  add(delivery: NewDelivery, nowTs: number): Promise<boolean>;
  /** The messages whose time has come, those that have waited longest first; the expired ones are removed. */
  due(nowTs: number, limit: number): Promise<Delivery[]>;
  /** When the next message is due, if any waits. */
  nextDueTs(): Promise<number | undefined>;
  postpone(deliveryNid: number, dueTs: number): Promise<void>;
  remove(deliveryNid: number): Promise<void>;
}
