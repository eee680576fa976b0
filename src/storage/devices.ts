/** One of a user's devices (client-server API, "Device Management"). */
export interface Device {
  readonly deviceId: string;
  readonly displayName: string | null;
  readonly createdTs: number;
  readonly lastSeenTs: number | null;
  readonly lastSeenIp: string | null;
  readonly lastSeenUserAgent: string | null;
}

export type NewDevice = Pick<Device, "deviceId" | "displayName" | "createdTs">;

/** When and from where a device was last used. */
export interface DeviceSighting {
  readonly userNid: number;
  readonly deviceId: string;
  readonly ts: number;
  readonly ip: string;
  readonly userAgent: string;
}

export interface DeviceStore {
  find(userNid: number, deviceId: string): Promise<Device | undefined>;
  /** All devices of a user, by ID. */
  list(userNid: number): Promise<Device[]>;
  /** Makes a device without a session, unless it is there. Returns whether it has been made. */
  create(userNid: number, device: NewDevice): Promise<boolean>;
  /** False when the user has no such device. */
  rename(userNid: number, deviceId: string, displayName: string): Promise<boolean>;
  /** Removes devices with everything that is theirs: tokens, keys, waiting messages. Returns those that existed. */
  remove(userNid: number, deviceIds: readonly string[]): Promise<string[]>;
  /** Removes all devices of a user but one; with `null` all of them, and browser sessions too. Returns the removed ones. */
  removeAll(userNid: number, exceptDeviceId: string | null): Promise<string[]>;
  /** Sightings of devices that are gone are let fall. */
  saw(sightings: readonly DeviceSighting[]): Promise<void>;
}
