import type { CrossSigningKey, DeviceKeys, SignedText } from "./device-keys.ts";

/** The last change of a local user's device, or of the user's cross-signing keys, as it is now. */
export interface DeviceUpdate {
  readonly userNid: number;
  /** `null` for the cross-signing keys. */
  readonly deviceId: string | null;
  readonly position: number;
  /** Of the change of one of the user's devices that came before; `null` for the first, and for cross-signing keys. */
  readonly previous: number | null;
  /** Whether the device is gone. */
  readonly isDeleted: boolean;
  readonly displayName: string | null;
  /** Identity keys of a device that has any. */
  readonly keys: SignedText | null;
  /** The cross-signing keys that others may see, where they have changed. */
  readonly crossSigning: readonly CrossSigningKey[];
}

export interface DeviceUpdates {
  /** In the order in which they are to be sent. */
  readonly updates: readonly DeviceUpdate[];
  /** Changes up to this position have been looked at; `null` when all have been. */
  readonly lookedUpTo: number | null;
}

/** A local user's devices that have keys, as they are now. */
export interface DeviceListSnapshot {
  /** Position of the last change that is in it; 0 when there never was one. */
  readonly streamId: number;
  readonly devices: readonly DeviceKeys[];
  readonly crossSigning: readonly CrossSigningKey[];
}

/**
 * What other servers are told of the devices of this server's users (server-server API, "Device Management"): the last
 * change of each device. Each names the change before it, so that who has missed one notices and asks for the whole list.
 */
export interface DeviceUpdateStore {
  /**
   * What a server that shares rooms with users has to be told after a position: which of their devices have changed, and
   * all devices of users who have come to share a room with it.
   */
  forServer(serverName: string, after: number, upTo: number, limit: number): Promise<DeviceUpdates>;
  /** A user's devices. */
  listOf(userNid: number): Promise<DeviceListSnapshot>;
}
