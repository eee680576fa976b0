import type { ContactAddress } from "./contacts.ts";
import type { NewDelivery } from "./deliveries.ts";

/** What somebody proves an address for. */
export type ValidationPurpose = "add" | "register" | "password";

/** A validation session: somebody says that an address is theirs, and proves it by what is sent to it. */
export interface ContactValidation extends ContactAddress {
  /** The session ID. */
  readonly sid: string;
  readonly purpose: ValidationPurpose;
  /** There is nothing to prove, so nobody is told how, and no token is right. Only the address's owner hears of it. */
  readonly isVoid: boolean;
  /** SHA-256 of the `client_secret`. */
  readonly secretHash: Uint8Array;
  /** The highest that the client has sent. */
  readonly sendAttempt: number;
  /** Where the browser goes when it is done. */
  readonly nextLink: string | null;
  /** Wrong tokens so far. */
  readonly failures: number;
  /** `null` until the token has come. */
  readonly validatedTs: number | null;
  readonly expiresTs: number;
}

export type NewValidation = Omit<ContactValidation, "failures" | "validatedTs">;

export type TokenOutcome = "validated" | "wrong" | "ended";

/** Validation sessions, short-lived: each new one removes those that have expired. There is a bound for all of them. */
export interface ContactValidationStore {
  /**
   * Begins a session and puts its message into the queue, or goes on with the one that is there for the same purpose,
   * address and client secret: then nothing is sent unless `sendAttempt` is higher than before.
   * @returns the session's ID, or `undefined` when nothing could be put into the queue; then nothing has changed
   */
  begin(session: NewValidation, message: NewDelivery, nowTs: number): Promise<string | undefined>;
  /** A session that has not expired. */
  find(sid: string, nowTs: number): Promise<ContactValidation | undefined>;
  /**
   * Notes that a token has come, and whether it was right. A wrong one is counted; after too many a session takes no more.
   */
  tokenCame(sid: string, isRight: boolean, nowTs: number): Promise<TokenOutcome>;
  /** Ends a session. False when it has ended already: what it proves counts once. */
  take(sid: string): Promise<boolean>;
}
