import type { PresenceState, UserPresence } from "../../storage/presence.ts";

/** "The server will automatically set a user's presence to unavailable if their last active time was over a threshold". */
const idleAfterMs = 5 * 60_000;
/** Devices of one user that count; the one that was heard of longest ago goes first. */
const maxDevices = 32;

const rank: Readonly<Record<PresenceState, number>> = { offline: 0, unavailable: 1, online: 2 };

interface ConnectedDevice {
  readonly state: PresenceState;
  /** Until when it counts as connected without being heard of again, by the monotonic clock. */
  readonly untilMs: number;
}

/** What is known of a user who is not offline, or has been so until a moment ago. */
export class PresentUser {
  readonly userNid: number;
  statusMessage: string | null;
  /** When they last did something by themselves, in milliseconds since the epoch. */
  lastActiveTs: number;
  /** What others have been told last. */
  told: PresenceState;
  readonly #devices = new Map<string, ConnectedDevice>();

  constructor(last: UserPresence) {
    this.userNid = last.userNid;
    this.statusMessage = last.statusMessage;
    this.lastActiveTs = last.lastActiveTs;
    this.told = last.state;
  }

  /**
   * A device is there, and wants its user to be seen like this.
   * @returns whether that is news of this device: it was not there, or wanted something else
   */
  connect(deviceId: string, state: PresenceState, nowMs: number, forMs: number): boolean {
    const before = this.#devices.get(deviceId);
    this.#devices.delete(deviceId);
    this.#devices.set(deviceId, { state, untilMs: nowMs + forMs });
    const [oldest] = this.#devices.keys();
    if (this.#devices.size > maxDevices && oldest !== undefined) this.#devices.delete(oldest);
    return !before || before.untilMs <= nowMs || before.state !== state;
  }

  /** How the user is to be seen now: as the liveliest of their devices, while they do something now and then. */
  stateAt(nowMs: number, nowTs: number): PresenceState {
    let state: PresenceState = "offline";
    for (const [deviceId, device] of this.#devices) {
      if (device.untilMs <= nowMs) this.#devices.delete(deviceId);
      else if (rank[device.state] > rank[state]) state = device.state;
    }
    return state === "online" && nowTs - this.lastActiveTs >= idleAfterMs ? "unavailable" : state;
  }

  /** As others see the user. */
  get presence(): UserPresence {
    const { userNid, told, statusMessage, lastActiveTs } = this;
    return { userNid, state: told, statusMessage, lastActiveTs };
  }
}
