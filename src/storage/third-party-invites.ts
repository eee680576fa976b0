import type { ContactAddress } from "./contacts.ts";
import type { NewDelivery } from "./deliveries.ts";

/** An invitation by e-mail that this server vouches for itself, without an identity server. */
export interface PendingInvite extends ContactAddress {
  /** The state key of the room's `m.room.third_party_invite`. */
  readonly token: string;
  /** With which the invitation will be signed, as unpadded Base64. */
  readonly publicKey: string;
  readonly roomNid: number;
  readonly inviterNid: number;
  readonly createdTs: number;
}

/** A pending invitation whose address has come into somebody's account. */
export interface RedeemableInvite extends PendingInvite {
  readonly userNid: number;
}

/**
 * Invitations by e-mail. A row goes when the address comes into an account; those that nobody redeems go when they are
 * old, and there is a bound for each inviter.
 */
export interface ThirdPartyInviteStore {
  /** Stores an invitation and its message. False, and nothing is stored, when too many wait. */
  add(invite: PendingInvite, message: NewDelivery, nowTs: number): Promise<boolean>;
  /** Whether an invitation with this key waits. */
  hasKey(publicKey: string): Promise<boolean>;
  /** The invitations whose addresses are in accounts. */
  redeemable(): Promise<RedeemableInvite[]>;
  remove(token: string): Promise<void>;
}
