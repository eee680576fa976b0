import type { Logger } from "../telemetry/log.ts";
import type { DeviceSighting, DeviceStore } from "../storage/devices.ts";
import type { Clock, Timer } from "../telemetry/clock.ts";
import type { ClientInfo, Requester } from "./requester.ts";

const flushIntervalMs = 30_000;
/** So many sightings are written at once; reaching it writes them early. */
const maxWaitingSightings = 2_000;

/** Notes when and from where devices are used, and writes it down now and then instead of with each request. */
export class DeviceActivity implements AsyncDisposable {
  readonly #devices: DeviceStore;
  readonly #clock: Clock;
  readonly #log: Logger;
  #waiting = new Map<string, DeviceSighting>();
  #timer: Timer | undefined;

  constructor(devices: DeviceStore, clock: Clock, log: Logger) {
    this.#devices = devices;
    this.#clock = clock;
    this.#log = log;
  }

  saw({ userNid, deviceId }: Requester, { address, userAgent }: ClientInfo): void {
    const sighting = { userNid, deviceId, ts: this.#clock.nowMs(), ip: address, userAgent };
    this.#waiting.set(keyOf(userNid, deviceId), sighting);
    if (this.#waiting.size >= maxWaitingSightings) void this.flush();
    else this.#timer ??= this.#clock.setTimer(flushIntervalMs, () => void this.flush());
  }

  /** What was noted of a device and is not written down yet. */
  waitingSighting(userNid: number, deviceId: string): DeviceSighting | undefined {
    return this.#waiting.get(keyOf(userNid, deviceId));
  }

  /** Writes down what was noted. A failure is logged: these notes are worth no failed request. */
  async flush(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    const sightings = [...this.#waiting.values()];
    this.#waiting = new Map();
    if (sightings.length === 0) return;
    try {
      await this.#devices.saw(sightings);
    } catch (error) {
      this.#log.warn({ err: error, count: sightings.length }, "when devices were last used was not stored");
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.flush();
  }
}

function keyOf(userNid: number, deviceId: string): string {
  return `${userNid} ${deviceId}`;
}
