import type { DeviceActivity } from "../auth/device-activity.ts";
import type { Requester } from "../auth/requester.ts";
import { MatrixError } from "../protocol/matrix-error.ts";
import type { Device, DeviceStore } from "../storage/devices.ts";
import { checkedDeviceName } from "./accounts/new-session.ts";
import type { SessionsChanged } from "./accounts/sessions.ts";

/** A user's devices (client-server API, "Device Management"). */
export class Devices {
  readonly #devices: DeviceStore;
  readonly #activity: DeviceActivity;
  readonly #sessionsChanged: SessionsChanged;

  constructor(devices: DeviceStore, activity: DeviceActivity, sessionsChanged: SessionsChanged) {
    this.#devices = devices;
    this.#activity = activity;
    this.#sessionsChanged = sessionsChanged;
  }

  async list({ userNid }: { readonly userNid: number }): Promise<Device[]> {
    const devices = await this.#devices.list(userNid);
    return devices.map((device) => this.#upToDate(userNid, device));
  }

  /** @throws MatrixError M_NOT_FOUND. */
  async get({ userNid }: Requester, deviceId: string): Promise<Device> {
    const device = await this.#devices.find(userNid, deviceId);
    if (!device) throw notFound(deviceId);
    return this.#upToDate(userNid, device);
  }

  /** @throws MatrixError M_NOT_FOUND, M_INVALID_PARAM for a name that is too long. */
  async rename(requester: Requester, deviceId: string, displayName: string): Promise<void> {
    const renamed = await this.#devices.rename(requester.userNid, deviceId, checkedDeviceName(displayName));
    if (!renamed) throw notFound(deviceId);
  }

  /** Ends devices with their sessions; those that are gone already are no matter. */
  async remove({ userNid }: Pick<Requester, "userNid">, deviceIds: readonly string[]): Promise<void> {
    await this.#devices.remove(userNid, deviceIds);
    this.#sessionsChanged(userNid);
  }

  /** When a device was last used is stored now and then only. */
  #upToDate(userNid: number, device: Device): Device {
    const sighting = this.#activity.waitingSighting(userNid, device.deviceId);
    if (!sighting) return device;
    const { ts, ip, userAgent } = sighting;
    return { ...device, lastSeenTs: ts, lastSeenIp: ip, lastSeenUserAgent: userAgent };
  }
}

function notFound(deviceId: string): MatrixError {
  return new MatrixError("M_NOT_FOUND", `You have no device ${deviceId.slice(0, 255)}`);
}
