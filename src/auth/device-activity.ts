import { DelayedWrites } from "../storage/delayed-writes.ts";
import type { DeviceSighting, DeviceStore } from "../storage/devices.ts";
import type { Clock } from "../telemetry/clock.ts";
import type { Logger } from "../telemetry/log.ts";
import type { ClientInfo, Requester } from "./requester.ts";

/** Notes when and from where devices are used, and writes it down now and then instead of with each request. */
export class DeviceActivity implements AsyncDisposable {
  readonly #clock: Clock;
  readonly #sightings: DelayedWrites<DeviceSighting>;

  constructor(devices: DeviceStore, clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#sightings = new DelayedWrites({
      write: (sightings) => devices.saw(sightings),
      delayMs: 30_000,
      maxWaiting: 2_000,
      clock,
      log,
      failure: "when devices were last used was not stored",
    });
  }

  saw({ userNid, deviceId }: Requester, { address, userAgent }: ClientInfo): void {
    const sighting = { userNid, deviceId, ts: this.#clock.nowMs(), ip: address, userAgent };
    this.#sightings.add(keyOf(userNid, deviceId), sighting);
  }

  /** What was noted of a device and is not written down yet. */
  waitingSighting(userNid: number, deviceId: string): DeviceSighting | undefined {
    return this.#sightings.waiting(keyOf(userNid, deviceId));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#sightings[Symbol.asyncDispose]();
  }
}

function keyOf(userNid: number, deviceId: string): string {
  return `${userNid} ${deviceId}`;
}
