import type { UserId } from "../protocol/identifiers.ts";
import type { Contact } from "./contacts.ts";
import type { ExternalId } from "./external-ids.ts";
import type { NewSession } from "./sessions.ts";

/** A user of this server. */
export interface Account {
  readonly userNid: number;
  readonly userId: UserId;
  /** In PHC format; `null` for who has no password. */
  readonly passwordHash: string | null;
  readonly createdTs: number;
  readonly isAdmin: boolean;
  readonly isGuest: boolean;
  readonly isDeactivated: boolean;
  /** The user wished that their messages be hidden from those who join later. */
  readonly isErased: boolean;
  readonly isLocked: boolean;
  readonly isSuspended: boolean;
  readonly userType: string | null;
  readonly appserviceId: string | null;
}

export interface NewAccount {
  readonly userId: UserId;
  readonly passwordHash: string | null;
  readonly createdTs: number;
  readonly isAdmin: boolean;
  readonly isGuest: boolean;
  readonly userType: string | null;
  readonly appserviceId: string | null;
  /** What the profile begins with. */
  readonly displayName: string | null;
}

/** What may come with a new account, all of it or nothing being stored. */
export interface AccountExtras {
  readonly session?: NewSession;
  /** Who the user is at providers of single sign-on. */
  readonly externalIds?: readonly ExternalId[];
  /** A registration token of which one use is spent. */
  readonly registrationToken?: string;
  /** Addresses that the user has proved. */
  readonly contacts?: readonly Contact[];
  /** What the user has agreed to. */
  readonly acceptedPolicies?: readonly AcceptedPolicy[];
}

/** A version of a policy that a user has accepted (client-server API, "Terms of service at registration"). */
export interface AcceptedPolicy {
  readonly id: string;
  readonly version: string;
}

export type CreateAccountOutcome =
  | { readonly created: true; readonly userNid: number }
  | {
      readonly created: false;
      readonly reason: "in-use" | "token-spent" | "contact-in-use" | "external-id-in-use";
    };

/** What an administrator or the user may change of an account. */
export interface AccountChanges {
  readonly isAdmin?: boolean;
  readonly isLocked?: boolean;
  readonly isSuspended?: boolean;
  readonly userType?: string | null;
}

/** A deactivated user who has rooms to leave. */
export interface Departure {
  readonly userNid: number;
  readonly userId: UserId;
}

/** A user whose messages are hidden from those who came later. */
export interface Erasure {
  readonly userNid: number;
  /** When it was asked for. */
  readonly position: number;
}

/** Local accounts. Their devices and tokens are in the `sessions` and `devices` stores. */
export interface AccountStore {
  find(userId: UserId): Promise<Account | undefined>;
  findByNid(userNid: number): Promise<Account | undefined>;
  create(account: NewAccount, extras: AccountExtras): Promise<CreateAccountOutcome>;
  /** Turns a guest's account into a full one; "in-use" when it is no guest's. */
  upgradeGuest(
    userNid: number,
    passwordHash: string | null,
    extras: AccountExtras,
    nowTs: number,
  ): Promise<CreateAccountOutcome>;
  /** Changes what is given. */
  update(userNid: number, changes: AccountChanges): Promise<void>;
  /** Gives a password another hash, unless the user has changed it since it had the first. */
  renewPasswordHash(userNid: number, before: string, after: string): Promise<void>;
  setPasswordHash(userNid: number, passwordHash: string): Promise<void>;
  /** Sets a new password and removes all devices but one (all of them for `null`) with their tokens. */
  changePassword(userNid: number, passwordHash: string, exceptDeviceId: string | null): Promise<void>;
  /** Takes password, devices and tokens away, for ever. What is left to do is noted as a departure. */
  deactivate(userNid: number, erase: boolean): Promise<void>;
  /** Everybody who is erased. */
  erasures(): Promise<Erasure[]>;
  /** Deactivated users who may still be in rooms. */
  listDepartures(): Promise<Departure[]>;
  /** A deactivated user has left all rooms. */
  departed(userNid: number): Promise<void>;
  /** What a user accepted at registration, by policy ID. */
  acceptedPolicies(userNid: number): Promise<AcceptedPolicy[]>;
  /** Reverses a deactivation; a given password hash makes logging in possible again. */
  reactivate(userNid: number, passwordHash: string | null): Promise<void>;
}
