import type { RoomSummaryFields } from "../../protocol/room-summary.ts";
import type { SpaceChild } from "./space-children.ts";

/** What a room tells of itself, be it one of this server's or another server's word. */
export interface DescribedRoom extends RoomSummaryFields {
  readonly roomId: string;
  /** `undefined` where another server has not said it. */
  readonly version: string | undefined;
  readonly joinedMembers: number;
}

/** A room of another server with its children, as one of its servers tells of it. Nothing of it is certain. */
export interface ToldSpace {
  readonly room: DescribedRoom;
  /** In order; none for a room that is no space. */
  readonly children: readonly SpaceChild[];
  /** What the server tells of the children that this server could come into. */
  readonly described: ReadonlyMap<string, DescribedRoom>;
  /** Children that this server could not come into. */
  readonly inaccessible: ReadonlySet<string>;
}

/** Asks other servers about rooms in which this one is not. */
export interface RemoteSpaces {
  /**
   * What one of a room's servers tells of it; from memory when it was asked a short while ago.
   * @param servers that may be in the room, in the order in which they are tried
   * @param timeoutMs for all of them together
   * @returns `undefined` when none has answered, or the room is closed to this server
   */
  find(
    roomId: string,
    servers: readonly string[],
    suggestedOnly: boolean,
    timeoutMs: number,
  ): Promise<ToldSpace | undefined>;
}
