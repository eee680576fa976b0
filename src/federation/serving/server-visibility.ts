import { boundedCache } from "../../cache/bounded-cache.ts";
import type { ServerName, UserId } from "../../protocol/identifiers.ts";
import { mayServerSeeEvent, type UserAtEvent } from "../../protocol/visibility.ts";
import type { EventReader } from "../../state/event-reader.ts";
import type { StoredEvent } from "../../storage/events.ts";
import type { MembershipStore } from "../../storage/memberships.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import type { RoomViews } from "../../timeline/room-view.ts";

export interface ServerVisibilityParts {
  readonly views: RoomViews;
  readonly events: Pick<EventReader, "roomEvent">;
  readonly memberships: Pick<MembershipStore, "usersOfServer">;
  readonly names: Pick<NameCache, "findStatePair">;
}

/** Where not everybody may see everything, so many users of a server are looked at for one who may. */
const maxUsers = 100;
const cachedUserLists = 2_000;
const open: ReadonlySet<string> = new Set(["shared", "world_readable"]);

/** What servers that are in a room may be given of it (client-server API, "Room History Visibility"). */
export class ServerVisibility {
  readonly #parts: ServerVisibilityParts;
  readonly #users = boundedCache<string, readonly UserId[]>(cachedUserLists);

  constructor(parts: ServerVisibilityParts) {
    this.#parts = parts;
  }

  /** Whether a server, which has users in the room now, may be given an event of it. */
  async maySee(server: ServerName, stored: StoredEvent): Promise<boolean> {
    const { views, events, names } = this.#parts;
    const { stateBefore } = stored;
    // Of an outlier it is not known who was in the room; it is part of a state that the server may ask for.
    if (stateBefore === null) return true;
    const visibility = (await views.visibilityIn(stateBefore)) ?? "shared";
    const own =
      stored.pairNid === null ? undefined : await names.findStatePair("m.room.history_visibility", "");
    if (open.has(visibility) && own !== stored.pairNid) return true;
    const users: UserAtEvent[] = [];
    for (const userId of await this.#usersOf(stored.roomNid, server)) {
      const membershipBefore = await views.membershipIn(stateBefore, userId);
      users.push({ userId, membershipBefore, joinedLater: true });
    }
    return mayServerSeeEvent(await events.roomEvent(stored.eventNid), visibility, users);
  }

  async #usersOf(roomNid: number, server: ServerName): Promise<readonly UserId[]> {
    const key = `${roomNid} ${server}`;
    const known = this.#users.get(key);
    if (known) return known;
    const users = (await this.#parts.memberships.usersOfServer(
      roomNid,
      server,
      maxUsers,
    )) as readonly UserId[];
    this.#users.set(key, users, { ttl: usersKnownMs });
    return users;
  }
}

/** One who has come in since then may see what others of their server may not. */
const usersKnownMs = 10_000;
