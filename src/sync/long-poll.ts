import type { Notifier } from "../notifier/notifier.ts";
import { MatrixError } from "../protocol/matrix-error.ts";
import type { SessionStore } from "../storage/sessions.ts";
import type { Clock } from "../telemetry/clock.ts";
import type { SyncDevice } from "./sync-request.ts";

/** An answer that may have nothing to say. */
interface Attempt {
  readonly isEmpty: boolean;
  /** All that was committed up to here has been looked at. */
  readonly upTo: number;
}

/** Holds requests until there is an answer to them. */
export class LongPolls {
  readonly #notifier: Notifier;
  readonly #sessions: Pick<SessionStore, "findByAccessToken">;
  readonly #clock: Clock;

  constructor(notifier: Notifier, sessions: Pick<SessionStore, "findByAccessToken">, clock: Clock) {
    this.#notifier = notifier;
    this.#sessions = sessions;
    this.#clock = clock;
  }

  /**
   * Tries at once, and again whenever something may have come for the device's user, until an answer is not empty.
   * @param signal aborted when the client has gone away
   * @param peekedRoomNid a room that is of interest although the user may not be in it
   * @throws MatrixError M_UNKNOWN_TOKEN when the device is logged out meanwhile
   */
  async answer<Answer extends Attempt>(
    device: SyncDevice,
    timeoutMs: number,
    signal: AbortSignal,
    attempt: () => Promise<Answer>,
    peekedRoomNid?: number,
  ): Promise<Answer> {
    const deadlineMs = this.#clock.monotonicMs() + timeoutMs;
    for (let isWoken = true, waits = 0; ; waits++) {
      const answer = await attempt();
      const remainingMs = deadlineMs - this.#clock.monotonicMs();
      if (!answer.isEmpty || !isWoken || remainingMs <= 0 || signal.aborted) return answer;
      if (waits > 0) await this.#checkSession(device);
      isWoken = await this.#notifier.wait(device.userNid, answer.upTo, remainingMs, signal, peekedRoomNid);
    }
  }

  /** A wait ends for those, too, whose session does. */
  async #checkSession({ tokenHash, appserviceId }: SyncDevice): Promise<void> {
    // Application services stay what they are as long as the server runs.
    if (appserviceId !== undefined) return;
    if (await this.#sessions.findByAccessToken(tokenHash)) return;
    throw new MatrixError("M_UNKNOWN_TOKEN", "This device has been logged out", { soft_logout: false });
  }
}
