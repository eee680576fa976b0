import type { PresenceState, UserPresence } from "../../storage/presence.ts";

/** A user of another server, as that server tells of them. */
export class RemoteUser {
  readonly userNid: number;
  statusMessage: string | null;
  /** In milliseconds since the epoch. */
  lastActiveTs: number;
  /** What users of this server have been told last. */
  told: PresenceState;
  #state: PresenceState;
  #untilMs: number;

  /** @param untilMs until when their server may be silent, by the monotonic clock */
  constructor(last: UserPresence, untilMs: number) {
    this.userNid = last.userNid;
    this.statusMessage = last.statusMessage;
    this.lastActiveTs = last.lastActiveTs;
    this.told = last.state;
    this.#state = last.state;
    this.#untilMs = untilMs;
  }

  hear(state: PresenceState, untilMs: number): void {
    this.#state = state;
    this.#untilMs = untilMs;
  }

  /** How the user is to be seen now: as their server says, unless it has been silent for too long. */
  stateAt(nowMs: number): PresenceState {
    return this.#untilMs <= nowMs ? "offline" : this.#state;
  }

  get presence(): UserPresence {
    const { userNid, told, statusMessage, lastActiveTs } = this;
    return { userNid, state: told, statusMessage, lastActiveTs };
  }
}
