/** An object that was signed, as it is stored: what the signatures cover, and its owner's signatures. */
export interface SignedText {
  /** Canonical JSON of the object without `signatures` and `unsigned`. */
  readonly signed: string;
  /** The owner's signatures: a JSON object from key ID to signature. */
  readonly signatures: string;
}

/** The identity keys of a device. */
export interface DeviceKeys extends SignedText {
  readonly deviceId: string;
  readonly displayName: string | null;
}

export type CrossSigningUsage = "master" | "self_signing" | "user_signing";

export interface CrossSigningKey extends SignedText {
  readonly usage: CrossSigningUsage;
  /** Unpadded Base64. */
  readonly publicKey: string;
}

/** Every public key of a user that `/keys/query` tells of. */
export interface PublicKeys {
  readonly userNid: number;
  /** By device ID. */
  readonly devices: readonly DeviceKeys[];
  readonly crossSigning: readonly CrossSigningKey[];
}

/** What a device uploads together: all of it is stored or nothing. */
export interface KeyUpload {
  readonly deviceKeys: SignedText | null;
  readonly oneTimeKeys: readonly OneTimeKey[];
  /** One an algorithm at most. */
  readonly fallbackKeys: readonly OneTimeKey[];
  /** A device has no more one-time keys than this. */
  readonly maxOneTimeKeys: number;
}

export interface OneTimeKey {
  readonly algorithm: string;
  /** Without the algorithm. */
  readonly keyId: string;
  /** The key as JSON: a string or a signed object. */
  readonly key: string;
}

/** One-time keys of a device by algorithm; an algorithm without any is left out. */
export type OneTimeKeyCounts = Readonly<Record<string, number>>;

export type KeyUploadOutcome =
  | { readonly stored: true; readonly counts: OneTimeKeyCounts }
  | { readonly stored: false; readonly reason: "no-device" | "too-many" }
  /** Another one-time key with this ID waits to be claimed. */
  | {
      readonly stored: false;
      readonly reason: "key-exists";
      readonly existing: OneTimeKey;
      readonly uploaded: OneTimeKey;
    };

/** What a device is told of its keys with each sync. */
export interface OneTimeKeyStatus {
  readonly counts: OneTimeKeyCounts;
  /** Algorithms whose fallback key has not been given out. */
  readonly unusedFallbackTypes: readonly string[];
  /** Position of the last change of either; 0 when there never was one. */
  readonly position: number;
}

export interface KeyClaim {
  readonly userNid: number;
  readonly deviceId: string;
  readonly algorithm: string;
}

/** Identity keys, one-time keys and fallback keys of devices. */
export interface DeviceKeyStore {
  /** All public keys of users, in their order. */
  of(userNids: readonly number[]): Promise<PublicKeys[]>;
  /**
   * Stores what a device uploads. A changed identity is a change of the user's device list, and takes the device's
   * one-time keys with it, since nobody could use them; so is a new one.
   */
  upload(userNid: number, deviceId: string, upload: KeyUpload): Promise<KeyUploadOutcome>;
  /**
   * Gives one key for each claim, in order: the oldest one-time key, which nobody gets again; else the fallback key,
   * which counts as used from then on; else `null`.
   */
  claim(claims: readonly KeyClaim[]): Promise<(OneTimeKey | null)[]>;
  oneTimeKeyStatus(userNid: number, deviceId: string): Promise<OneTimeKeyStatus>;
}
