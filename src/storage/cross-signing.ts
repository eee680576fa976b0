import type { CrossSigningKey, SignedText } from "./device-keys.ts";

/** Cross-signing keys that a user uploads together. */
export interface CrossSigningUpload {
  readonly keys: readonly CrossSigningKey[];
  /** The master key that has signed the others: one of `keys`, or the stored one. */
  readonly masterKey: string;
  /** Whether the user has proved who they are: needed for changing keys that are there. */
  readonly authorised: boolean;
}

export type CrossSigningUploadOutcome =
  /** Stored, or there already. */
  | "stored"
  | "needs-authorisation"
  /** The stored master key is another one by now. */
  | "master-changed"
  /** One of the public keys is the ID of a device of the user's. */
  | "device-has-key-id";

/** New signatures by a user's own keys of one of the user's devices, or of the master key. */
export interface OwnSignatures extends SignedText {
  /** `null` for the master key. */
  readonly deviceId: string | null;
}

/** A signature of another user's master key by the signer's user-signing key. */
export interface UserSignature {
  readonly targetNid: number;
  /** What was signed: the stored text of the master key. */
  readonly signed: string;
  readonly keyId: string;
  readonly signature: string;
}

/** A stored signature of another user's master key. */
export interface StoredUserSignature {
  readonly targetNid: number;
  /** Public part of the master key that was signed. */
  readonly targetKey: string;
  readonly keyId: string;
  readonly signature: string;
}

/** Cross-signing keys and the signatures that are added to keys after their upload. */
export interface CrossSigningStore {
  /** A user's cross-signing keys. */
  keysOf(userNid: number): Promise<CrossSigningKey[]>;
  /** Whether a device with this ID would be taken for a cross-signing key (client-server API, "Cross-signing"). */
  isKeyOf(userNid: number, deviceId: string): Promise<boolean>;
  /**
   * Stores cross-signing keys: a change of the user's device list unless they are there. A replaced master key takes
   * the other keys and everybody's signatures of it with it; a replaced user-signing or self-signing key takes the
   * signatures that it made.
   */
  upload(userNid: number, upload: CrossSigningUpload): Promise<CrossSigningUploadOutcome>;
  /**
   * Adds signatures by a user's own keys to the user's own keys: a change of the user's device list.
   * @returns for each whether the key is still what was signed; else nothing is stored of it
   */
  addOwnSignatures(userNid: number, signatures: readonly OwnSignatures[]): Promise<boolean[]>;
  /**
   * Adds signatures of other users' master keys: a change for the signer alone.
   * @returns as `addOwnSignatures`
   */
  addUserSignatures(signerNid: number, signatures: readonly UserSignature[]): Promise<boolean[]>;
  /** What a user has signed: the signatures of master keys by the user-signing key. */
  userSignaturesOf(signerNid: number): Promise<StoredUserSignature[]>;
}
