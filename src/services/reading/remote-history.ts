import type { Room } from "../../state/room-index.ts";
import type { Direction } from "./timeline-pages.ts";

/**
 * What came of filling a gap. `changed`: the timeline has grown there, or the gap is closed. `pending`: servers are
 * slow; asked again later, there may be more. `unavailable`: no server helps for now.
 */
export type GapOutcome = "changed" | "pending" | "unavailable";

/** What other servers have of a room's history where this one has gaps. */
export interface RemoteHistory {
  /**
   * Gets some of the events that are missing, the newest first. Many may ask at once, and nobody waits for long.
   * @param position where the gap is; see `EventStore.gaps`
   */
  fillGap(room: Room, position: number): Promise<GapOutcome>;
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
  closestInTime: () => Promise.resolve(undefined),
};
