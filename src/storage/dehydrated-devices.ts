import type { KeyUpload, KeyUploadOutcome } from "./device-keys.ts";

/** A device without a session, kept for whoever of its user can decrypt it. */
export interface DehydratedDevice {
  readonly deviceId: string;
  /** The encrypted device, as a JSON object. */
  readonly deviceData: string;
}

export interface NewDehydratedDevice extends DehydratedDevice {
  readonly displayName: string | null;
  readonly createdTs: number;
  readonly keys: KeyUpload;
}

export type DehydrationOutcome =
  | KeyUploadOutcome
  /** The ID is that of another of the user's devices. */
  | { readonly stored: false; readonly reason: "is-session" };

/** Dehydrated devices (MSC3814): a user has one at most. */
export interface DehydratedDeviceStore {
  find(userNid: number): Promise<DehydratedDevice | undefined>;
  /** Stores a device with its keys, and removes the one before it with all that waited for that. */
  put(userNid: number, device: NewDehydratedDevice): Promise<DehydrationOutcome>;
  /** @returns the ID of the device that was there */
  remove(userNid: number): Promise<string | undefined>;
}
