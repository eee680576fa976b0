import type { RoomFields, RoomSummaryFields } from "../protocol/room-summary.ts";

/** What a commit changes in what its room tells of itself. */
export interface RoomSummaryChange {
  readonly fields: Partial<RoomFields>;
  /** Children of a space that have come, changed or (without an event) gone. */
  readonly children: readonly { readonly roomId: string; readonly eventNid: number | null }[];
}

export interface RoomSummary extends RoomFields, RoomSummaryFields {
  readonly roomNid: number;
  readonly roomId: string;
  readonly version: string;
  readonly joinedMembers: number;
}

/** Where a page of the directory begins: next to this room, in order of members. */
export interface DirectoryPlace {
  readonly direction: "forwards" | "backwards";
  readonly joinedMembers: number;
  readonly roomNid: number;
}

/** The network of an application service, which has a directory of its own. */
export interface DirectoryNetwork {
  readonly appserviceId: string;
  readonly networkId: string;
}

export interface PublicRoomsQuery {
  /** Whose directory: the server's own, that of a network, or all of them together. */
  readonly directory: "own" | "all" | DirectoryNetwork;
  /** Text that the name, the topic or the alias has to hold, whatever its case and diacritics. */
  readonly searchTerm: string | undefined;
  /** `null` stands for rooms without a type. */
  readonly roomTypes: readonly (string | null)[] | undefined;
  readonly from: DirectoryPlace | undefined;
  readonly limit: number;
}

export interface PublicRoomsPage {
  readonly rooms: readonly RoomSummary[];
  /** Whether there are more rooms in the direction of the query. */
  readonly hasMore: boolean;
  /** Rooms on all pages together; an estimate where nothing is searched for. */
  readonly total: number;
}

/** What rooms tell of themselves, kept beside their state: listing rooms reads no events. Commits write it. */
export interface RoomSummaryStore {
  of(roomNid: number): Promise<RoomSummary | undefined>;
  /**
   * Rooms of the directory that somebody is in, but for those into which one has to be invited and which others cannot
   * read; those with most members first.
   */
  listPublic(query: PublicRoomsQuery): Promise<PublicRoomsPage>;
  /** The `m.space.child` events of a room. */
  childEventNids(roomNid: number, limit: number): Promise<readonly number[]>;
}
