import type { CurrentState } from "../state/current-state.ts";
import type { RoomIndex } from "../state/room-index.ts";
import type { MembershipStore } from "../storage/memberships.ts";
import type { NameCache } from "../storage/name-cache.ts";
import type { PusherStore } from "../storage/pushers.ts";
import { ReadCache } from "../storage/read-cache.ts";
import type { StreamChange } from "../storage/streams.ts";
import type { Pace } from "../telemetry/pace.ts";

/** A user with pushers, as a room's events are judged for them. */
export interface PushUser {
  readonly userNid: number;
  readonly userId: string;
  /** In the room. */
  readonly displayName: string | undefined;
}

export interface PushAudiencesParts {
  readonly store: Pick<PusherStore, "userNids" | "userNidsInRoom">;
  readonly memberships: Pick<MembershipStore, "joinedRoomNids">;
  readonly state: Pick<CurrentState, "event">;
  readonly rooms: Pick<RoomIndex, "byNid">;
  readonly names: Pick<NameCache, "userId">;
  readonly pace: Pace;
}

/** The rooms that are being written in; others are read again. */
const cachedRooms = 10_000;

/** Who has pushers, and who of them is in a room: nobody else's push rules have to be looked at. */
export class PushAudiences {
  readonly #parts: PushAudiencesParts;
  readonly #users = new Set<number>();
  readonly #rooms: ReadCache<number, readonly PushUser[]>;

  constructor(parts: PushAudiencesParts) {
    this.#parts = parts;
    this.#rooms = new ReadCache(cachedRooms, (roomNid) => this.#read(roomNid));
  }

  /** Reads who has pushers. */
  async load(): Promise<void> {
    for (const userNid of await this.#parts.store.userNids()) this.#users.add(userNid);
  }

  get isEmpty(): boolean {
    return this.#users.size === 0;
  }

  /** Whether a user has pushers. One whose last pusher has gone is taken for one who has until {@link remove}. */
  has(userNid: number): boolean {
    return this.#users.has(userNid);
  }

  /** To be called after a user's pusher has been stored. */
  async add(userNid: number): Promise<void> {
    if (this.#users.has(userNid)) return;
    this.#users.add(userNid);
    await this.#forgetRoomsOf(userNid);
  }

  /** To be called when a user turns out to have no pusher. */
  async remove(userNid: number): Promise<void> {
    this.#users.delete(userNid);
    await this.#forgetRoomsOf(userNid);
  }

  async #forgetRoomsOf(userNid: number): Promise<void> {
    for (const roomNid of await this.#parts.memberships.joinedRoomNids(userNid)) this.#rooms.forget(roomNid);
  }

  /** To be told of each commit before its position becomes visible. */
  readonly committed = (_position: number, changes: readonly StreamChange[]): void => {
    for (const { membership } of changes) {
      if (membership && !membership.isRemote) this.#rooms.forget(membership.roomNid);
    }
  };

  /** The users with pushers who are joined to a room. */
  of(roomNid: number): Promise<readonly PushUser[]> {
    return this.#rooms.get(roomNid);
  }

  async #read(roomNid: number): Promise<readonly PushUser[]> {
    const room = await this.#parts.rooms.byNid(roomNid);
    const users: PushUser[] = [];
    for (const userNid of await this.#parts.store.userNidsInRoom(roomNid)) {
      await this.#parts.pace.breathe();
      const userId = await this.#parts.names.userId(userNid);
      const member = await this.#parts.state.event(room, "m.room.member", userId);
      const name = member?.content["displayname"];
      users.push({ userNid, userId, displayName: typeof name === "string" ? name : undefined });
    }
    return users;
  }
}
