import type { CrossSigningKey, DeviceKeys, SignedText } from "./device-keys.ts";

/** A remote user's device list as their server tells it: devices that have keys, the master and self-signing keys. */
export interface ToldDeviceList {
  /** Position of the list in its server's updates. */
  readonly streamId: number;
  readonly devices: readonly DeviceKeys[];
  readonly crossSigning: readonly CrossSigningKey[];
}

/** A change of one device, as its user's server tells it. */
export interface ToldDeviceUpdate {
  readonly deviceId: string;
  /** `null` for what could not be read: the whole list has to be asked for. */
  readonly streamId: number | null;
  /** What the list has to be at for the change to be applied; none when that is not known. */
  readonly prevIds: readonly number[];
  /** `null` for a device without keys, or one that is gone. */
  readonly keys: SignedText | null;
  readonly displayName: string | null;
}

/** What is known of a remote user's device list. */
export interface RemoteListState {
  readonly userNid: number;
  /** Whether the stored list is what the user's server has. */
  readonly isCurrent: boolean;
  /** Whether anything is stored, be it current or not. */
  readonly isStored: boolean;
  /** Whether the user shares a room with somebody here: only such lists are kept. */
  readonly sharesRoom: boolean;
  /** To be handed to `replace` with a list that was asked for afterwards. */
  readonly generation: number;
}

/**
 * `current`: the stored list is what the user's server has. `stale`: it has to be asked for. `unshared`: the user shares
 * no room with anybody here, and nothing has been stored.
 */
export type ToldOutcome = "current" | "stale" | "unshared";

/**
 * Device lists of users of other servers. The keys are where those of local users are; `DeviceKeyStore.of` reads them. A
 * list is kept as long as its user shares a room with somebody here: the commit that ends that forgets it.
 */
export interface RemoteDeviceListStore {
  states(userNids: readonly number[]): Promise<RemoteListState[]>;
  /**
   * What a user's list has of a device: the text of its keys that signatures cover, `null` for no such device.
   * @returns `undefined` when there is no list, or it is stale
   */
  currentDevice(userNid: number, deviceId: string): Promise<{ readonly signed: string | null } | undefined>;
  /**
   * Stores a whole list in place of the one before. Differences are a change of the user's device list for local users.
   * @param generation of the state in which the list was asked for: when updates have come since, the list stays stale
   */
  replace(
    userNid: number,
    serverName: string,
    generation: number,
    list: ToldDeviceList,
  ): Promise<ToldOutcome>;
  /** Applies a change to a list that is at the point where the change follows; otherwise the list becomes stale. */
  update(userNid: number, serverName: string, update: ToldDeviceUpdate): Promise<ToldOutcome>;
  /**
   * Replaces those of a user's cross-signing keys that are told; a list that is not stored becomes stale.
   * @param keys `null` for what could not be read: the whole list has to be asked for
   */
  updateCrossSigning(
    userNid: number,
    serverName: string,
    keys: readonly CrossSigningKey[] | null,
  ): Promise<ToldOutcome>;
  /** Makes the lists of those users be asked for who share a room with somebody here, and of whom there is none yet. */
  follow(userNids: readonly number[], serverName: string): Promise<void>;
  /**
   * Remembers that somebody's devices have changed, as long as members of rooms in which their server is are missing: once
   * those are known it is news to those who turn out to share a room with the user.
   */
  noteEarly(userId: string, serverName: string): Promise<void>;
  /** Forgets a list whose user is not known to their server. */
  forget(userNid: number): Promise<void>;
  /** Some users of a server whose lists are stale. */
  staleUsers(serverName: string, limit: number): Promise<number[]>;
  /** The servers of users whose lists are stale. */
  serversWithStale(): Promise<string[]>;
}
