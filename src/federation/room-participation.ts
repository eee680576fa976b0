import { boundedCache } from "../cache/bounded-cache.ts";
import type { ServerName } from "../protocol/identifiers.ts";
import { ServerAcl } from "../protocol/server-acl.ts";
import type { CurrentState } from "../state/current-state.ts";
import type { Room } from "../state/room-index.ts";
import type { RoomServers } from "./room-servers.ts";
import type { MembershipStore } from "../storage/memberships.ts";

/** A compiled list may be large; each belongs to one state event. */
const cachedAcls = 500;

/** Which rooms this server takes part in, and which other servers may. */
export class RoomParticipation {
  readonly #state: Pick<CurrentState, "event">;
  readonly #memberships: Pick<MembershipStore, "localJoinedNids">;
  readonly #servers: RoomServers;
  readonly #acls = boundedCache<string, ServerAcl>(cachedAcls);

  constructor(
    state: Pick<CurrentState, "event">,
    memberships: Pick<MembershipStore, "localJoinedNids">,
    servers: RoomServers,
  ) {
    this.#state = state;
    this.#memberships = memberships;
    this.#servers = servers;
  }

  /** Whether users of this server are in the room. */
  async isJoined({ roomNid }: Room): Promise<boolean> {
    return (await this.#memberships.localJoinedNids(roomNid, 1)).length > 0;
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
