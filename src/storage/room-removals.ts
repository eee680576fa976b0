import type { UserId } from "../protocol/identifiers.ts";

/** What a part of a removal has done. */
export interface RemovedPart {
  /** Events that have gone. */
  readonly eventCount: number;
  /** Nothing of the room is left. */
  readonly isDone: boolean;
}

/** Somebody of this server who is in a room, invited to it or has knocked. */
export interface LocalMember {
  readonly userNid: number;
  readonly userId: UserId;
}

/** Takes rooms out of the database, a short part at a time. */
export interface RoomRemovalStore {
  /** How many events a room has, for telling how far its removal is. */
  countEvents(roomNid: number): Promise<number>;
  /** Those who have to leave first, by integer ID, after one. */
  localMembers(roomNid: number, afterUserNid: number, limit: number): Promise<readonly LocalMember[]>;
  /** From here on nobody finds the room. */
  begin(roomNid: number): Promise<void>;
  /**
   * Takes the next part away: `limit` events, or as many rows of what else belongs to the room.
   * To be called after `begin` until it is done; safe to repeat after a crash.
   */
  removePart(roomNid: number, limit: number): Promise<RemovedPart>;
}
