import type { Room } from "../../state/room-index.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { Direction } from "./timeline-pages.ts";

/**
 * What came of asking for events. `changed`: the timeline has grown there, or the gap is closed. `pending`: servers are
 * slow; asked again later, there may be more. `unavailable`: no server helps for now.
 */
export type GapOutcome = "changed" | "pending" | "unavailable";

/** What other servers have of a room's history where this one has gaps. */
export interface RemoteHistory {
  /**
   * Gets some of the events that are missing, the newest first. Many may ask at once.
   * @param position where the gap is; see `EventStore.gaps`
   * @param maxWaitMs after which it goes on without the one who has asked
   */
  fillGap(room: Room, position: number, maxWaitMs: number): Promise<GapOutcome>;
  /**
   * Gets one event that is missing, and brings it into the timeline.
   * @param eventId any text
   * @param maxWaitMs as above
   */
  bringEvent(room: Room, eventId: string, maxWaitMs: number): Promise<GapOutcome>;
  /**
   * Finds the event closest to a moment with other servers, and brings it into the timeline.
   * @param closerThan the time of the closest event that is here, if one is; others have to be closer
   * @returns its ID, or `undefined` when they know of none
   */
  closestInTime(
    room: Room,
    originServerTs: number,
    direction: Direction,
    closerThan: number | undefined,
  ): Promise<string | undefined>;
}

/** Of a server that talks with no others. */
export const noRemoteHistory: RemoteHistory = {
  fillGap: () => Promise.resolve("unavailable"),
  bringEvent: () => Promise.resolve("unavailable"),
  closestInTime: () => Promise.resolve(undefined),
};

/** A client waits; what comes later is there when it asks again. */
const maxWaitMs = 10_000;

/** The same for one request: however many gaps are in its way, and whatever servers are asked, it does not take longer. */
export class HistoryForRequest {
  readonly #history: RemoteHistory;
  readonly #clock: Clock;
  readonly #untilMs: number;

  constructor(history: RemoteHistory, clock: Clock) {
    this.#history = history;
    this.#clock = clock;
    this.#untilMs = clock.monotonicMs() + maxWaitMs;
  }

  /** See `RemoteHistory`. */
  fillGap(room: Room, position: number): Promise<GapOutcome> {
    return this.#history.fillGap(room, position, this.#leftMs);
  }

  /** See `RemoteHistory`. */
  bringEvent(room: Room, eventId: string): Promise<GapOutcome> {
    return this.#history.bringEvent(room, eventId, this.#leftMs);
  }

  get #leftMs(): number {
    return Math.max(0, this.#untilMs - this.#clock.monotonicMs());
  }
}
