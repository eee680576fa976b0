import { withinTime } from "../../concurrency/within-time.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { PartialRooms } from "../../state/partial-rooms.ts";
import type { Clock } from "../../telemetry/clock.ts";

/** Clients give up about then. */
const maxWaitMs = 90_000;

/** Lets those wait who ask for the members of a room that has just been joined without them. */
export class WholeRooms {
  readonly #partialRooms: Pick<PartialRooms, "has" | "whole">;
  readonly #clock: Clock;

  constructor(partialRooms: Pick<PartialRooms, "has" | "whole">, clock: Clock) {
    this.#partialRooms = partialRooms;
    this.#clock = clock;
  }

  /**
   * Waits until all members of a room are known, as they almost always are.
   * @returns whether it had to wait
   * @throws MatrixError M_LIMIT_EXCEEDED when that takes too long
   */
  async wait(roomNid: number): Promise<boolean> {
    if (!this.#partialRooms.has(roomNid)) return false;
    const whole = this.#partialRooms.whole(roomNid).then(() => true);
    if (await withinTime(this.#clock, maxWaitMs, whole, false)) return true;
    throw new MatrixError("M_LIMIT_EXCEEDED", "Not all members of the room are known yet", {
      retry_after_ms: 10_000,
    });
  }
}
