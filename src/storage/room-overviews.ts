import type { RoomFields } from "../protocol/room-summary.ts";

/** By what a list of rooms is ordered; see `RoomOverview`. */
export type RoomOrder =
  | "name"
  | "canonical_alias"
  | "joined_members"
  | "joined_local_members"
  | "version"
  | "creator"
  | "encryption"
  | "federatable"
  | "public"
  | "join_rules"
  | "guest_access"
  | "history_visibility"
  | "state_events";

export interface RoomListQuery {
  /** Part of the name, the topic or the name in the alias, whatever its case and diacritics, or the beginning of the room ID. */
  readonly searchTerm: string | undefined;
  readonly isPublic: boolean | undefined;
  /** Whether nobody is joined to the room. */
  readonly isEmpty: boolean | undefined;
  /** Texts ascend, numbers descend; what is missing comes last. */
  readonly order: RoomOrder;
  readonly isReversed: boolean;
  readonly offset: number;
  readonly limit: number;
}

/** A room as administrators see it. Of one of which only an invite has come nothing is known but its ID. */
export interface RoomOverview extends Omit<RoomFields, "joinRule" | "allowedRoomIds"> {
  readonly roomNid: number;
  readonly roomId: string;
  readonly version: string;
  readonly isPublic: boolean;
  readonly joinRule: string | null;
  readonly joinedMembers: number;
  readonly joinedLocalMembers: number;
  /** Events in the current state. */
  readonly stateEvents: number;
}

export interface RoomDetails extends RoomOverview {
  /** Devices of the users of this server who are joined. */
  readonly joinedLocalDevices: number;
  /** Whether all users of this server who have been in it have forgotten it. */
  readonly isForgotten: boolean;
}

export interface RoomList {
  readonly rooms: readonly RoomOverview[];
  /** Rooms on all pages together. */
  readonly total: number;
}

/** All rooms, for administrators. What is being removed is none of them. */
export interface RoomOverviewStore {
  list(query: RoomListQuery): Promise<RoomList>;
  details(roomNid: number): Promise<RoomDetails | undefined>;
}
