import { boundedCache } from "../../cache/bounded-cache.ts";
import type { DeviceKeyStore, OneTimeKeyStatus } from "../../storage/device-keys.ts";
import type { CommitListener } from "../../storage/streams.ts";

/** Everybody who syncs asks with each answer. */
const cachedUsers = 20_000;

/**
 * What each sync tells a device of its one-time keys and fallback keys (client-server API, "Extensions to /sync"),
 * almost always from memory.
 */
export class OneTimeKeyStatuses implements Pick<DeviceKeyStore, "oneTimeKeyStatus"> {
  readonly #store: DeviceKeyStore;
  readonly #byUser = boundedCache<number, Map<string, Promise<OneTimeKeyStatus>>>(cachedUsers);

  constructor(store: DeviceKeyStore) {
    this.#store = store;
  }

  /** To be called with each commit before its position becomes visible. */
  readonly follow: CommitListener = (_position, changes) => {
    for (const { stream, nid } of changes) if (stream === "oneTimeKeys") this.#byUser.delete(nid);
  };

  /** The status of a device that exists. */
  oneTimeKeyStatus(userNid: number, deviceId: string): Promise<OneTimeKeyStatus> {
    const devices = this.#byUser.get(userNid) ?? new Map<string, Promise<OneTimeKeyStatus>>();
    const known = devices.get(deviceId);
    if (known) return known;
    const reading = this.#store.oneTimeKeyStatus(userNid, deviceId);
    devices.set(deviceId, reading);
    this.#byUser.set(userNid, devices);
    reading.catch(() => devices.delete(deviceId));
    return reading;
  }
}
