import { boundedCache } from "../cache/bounded-cache.ts";
import type { ServerName } from "../protocol/identifiers.ts";
import { ServerAcl } from "../protocol/server-acl.ts";
import type { CurrentState } from "../state/current-state.ts";
import type { Room, RoomIndex } from "../state/room-index.ts";
import type { PartialRooms } from "../state/partial-rooms.ts";
import type { ServerPolicy } from "./server-policy.ts";
import type { RoomServers } from "./room-servers.ts";
import type { MembershipStore } from "../storage/memberships.ts";

/** A compiled list may be large; each belongs to one state event. */
const cachedAcls = 500;

export interface RoomParticipationParts {
  readonly ownName: ServerName;
  readonly policy: ServerPolicy;
  readonly rooms: RoomIndex;
  readonly state: Pick<CurrentState, "event">;
  readonly memberships: Pick<MembershipStore, "localJoinedNids">;
  readonly servers: RoomServers;
  readonly partialRooms: Pick<PartialRooms, "has">;
}

/** Which rooms this server takes part in, and which other servers may. */
export class RoomParticipation {
  readonly #ownName: ServerName;
  readonly #policy: ServerPolicy;
  readonly #rooms: RoomIndex;
  readonly #state: Pick<CurrentState, "event">;
  readonly #memberships: Pick<MembershipStore, "localJoinedNids">;
  readonly #servers: RoomServers;
  readonly #partialRooms: Pick<PartialRooms, "has">;
  readonly #acls = boundedCache<string, ServerAcl>(cachedAcls);

  constructor(parts: RoomParticipationParts) {
    this.#ownName = parts.ownName;
    this.#policy = parts.policy;
    this.#rooms = parts.rooms;
    this.#state = parts.state;
    this.#memberships = parts.memberships;
    this.#servers = parts.servers;
    this.#partialRooms = parts.partialRooms;
  }

  /** Whether users of this server are in the room. */
  async isJoined({ roomNid }: Room): Promise<boolean> {
    return (await this.#memberships.localJoinedNids(roomNid, 1)).length > 0;
  }

  /** Whether all members of a room are known here; otherwise they follow. */
  isWhole({ roomNid }: Room): boolean {
    return !this.#partialRooms.has(roomNid);
  }

  /** A room that is known here, be it joined or not. */
  find(roomId: string): Promise<Room | undefined> {
    return this.#rooms.find(roomId);
  }

  /** Other servers with users in the room, as far as is known here. */
  serversOf({ roomNid }: Room): Promise<readonly ServerName[]> {
    return this.#servers.of(roomNid) as Promise<readonly ServerName[]>;
  }

  /** Those of some servers that are others than this one, and that it talks with; each once. */
  others(servers: readonly ServerName[]): readonly ServerName[] {
    return [...new Set(servers)].filter((name) => name !== this.#ownName && this.#policy.allows(name));
  }

  /** Whether users of another server are in the room. */
  async hasUsersOf({ roomNid }: Room, server: ServerName): Promise<boolean> {
    return (await this.#servers.of(roomNid)).includes(server);
  }

  /** Whether the room's server ACL lets a server take part. */
  async admits(room: Room, server: ServerName): Promise<boolean> {
    const event = await this.#state.event(room, "m.room.server_acl", "");
    if (!event) return true;
    const known = this.#acls.get(event.eventId);
    if (known) return known.admits(server);
    const acl = new ServerAcl(event.content);
    this.#acls.set(event.eventId, acl);
    return acl.admits(server);
  }
}
