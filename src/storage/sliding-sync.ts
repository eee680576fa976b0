import type { Membership } from "./memberships.ts";

/** One room in a user's list of rooms, with what lists are filtered and sorted by. */
export interface UserRoomRow {
  readonly roomNid: number;
  readonly roomId: string;
  readonly membership: Membership;
  /** The user's member event, its place and its sender. */
  readonly eventNid: number;
  readonly position: number;
  readonly senderNid: number;
  /** Position of the newest event in the room's timeline. */
  readonly lastPosition: number;
  readonly facts: RoomFacts;
}

/** What a room's current state says of it, as far as lists are filtered by it. */
export interface RoomFacts {
  readonly name: string | null;
  readonly roomType: string | null;
  readonly isEncrypted: boolean;
}

/** Which connection of which device. */
export interface ConnectionKey {
  readonly userNid: number;
  readonly deviceId: string;
  readonly connectionId: string;
}

/** What is kept of a connection: the state that one version of its positions stands for. */
export interface NewConnectionVersion {
  readonly version: string;
  /** The version that the client came with, which it may come with again; `null` where it had none. */
  readonly baseVersion: string | null;
  /** As text; see `sync/sliding/connection-state.ts`. */
  readonly state: string;
  readonly storedTs: number;
  /** What was stored before this time may go. */
  readonly forgetBeforeTs: number;
  /** Connections that one device may have; those stored longest ago go. */
  readonly maxConnections: number;
}

/**
 * What simplified sliding sync (MSC4186) keeps: of each connection the state that its last two positions stand for. It
 * goes with its device, when too many newer connections are there, and when it is not used for long.
 */
export interface SlidingSyncStore {
  /** Every room that the user has a membership in and has not forgotten. */
  roomsOf(userNid: number): Promise<UserRoomRow[]>;
  facts(roomNid: number): Promise<RoomFacts>;
  /** The room IDs that a space has as its children. */
  spaceChildren(roomId: string): Promise<readonly string[]>;
  /**
   * Where the newest event of some types is, among the `maxLooked` newest after one position, up to another; `undefined`
   * when it is not among these.
   */
  newestOfTypes(
    roomNid: number,
    typeNids: readonly number[],
    after: number,
    upTo: number,
    maxLooked: number,
  ): Promise<number | undefined>;
  /** The state that a version of a connection stands for. */
  connection(key: ConnectionKey, version: string): Promise<string | undefined>;
  /** Keeps a new version of a connection, the one that it is based on, and no other. */
  putConnection(key: ConnectionKey, connection: NewConnectionVersion): Promise<void>;
}
