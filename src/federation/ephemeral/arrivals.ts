import type { ServerName } from "../../protocol/identifiers.ts";
import { serverNameOf, type UserId } from "../../protocol/identifiers.ts";
import type { Presence } from "../../services/presence/presence.ts";
import type { DestinationStore } from "../../storage/destinations.ts";
import type { MembershipStore } from "../../storage/memberships.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import type { StreamChange } from "../../storage/streams.ts";
import type { Clock } from "../../telemetry/clock.ts";
import { Pace } from "../../telemetry/pace.ts";

export interface ArrivalsParts {
  readonly ownName: ServerName;
  readonly presence: Pick<Presence, "isPresent">;
  readonly memberships: Pick<MembershipStore, "localJoinedNids">;
  readonly store: Pick<DestinationStore, "usersInRoom">;
  readonly names: Pick<NameCache, "userId">;
  readonly clock: Clock;
}

/** Servers that have come into a room, and users of this one who were there before. */
export interface Arrival {
  readonly servers: readonly string[];
  readonly userNids: readonly number[];
}

/** Users who have joined a room. */
interface Joins {
  readonly userNids: number[];
  /** Whether one of them is of another server. */
  hasRemote: boolean;
}

/** A server that comes into a large room learns of the others when something changes about them. */
const maxUsersPerRoom = 1_000;

/** Which servers have come into rooms by their first users there. */
export class Arrivals {
  readonly #parts: ArrivalsParts;
  readonly #joins = new Map<number, Joins>();

  constructor(parts: ArrivalsParts) {
    this.#parts = parts;
  }

  get isThereAny(): boolean {
    return this.#joins.size > 0;
  }

  committed(changes: readonly StreamChange[]): void {
    for (const { nid, membership } of changes) {
      if (!membership?.joined) continue;
      const joins = this.#joins.get(membership.roomNid) ?? { userNids: [], hasRemote: false };
      joins.userNids.push(nid);
      joins.hasRemote ||= membership.isRemote === true;
      this.#joins.set(membership.roomNid, joins);
    }
  }

  /** The arrivals since this was last called. @throws StorageError */
  async take(): Promise<readonly Arrival[]> {
    const joins = [...this.#joins];
    this.#joins.clear();
    const pace = new Pace(this.#parts.clock);
    const arrivals: Arrival[] = [];
    for (const [roomNid, { userNids: joined, hasRemote }] of joins) {
      if (!hasRemote) continue;
      const before = await this.#presentBefore(roomNid, new Set(joined));
      const servers = before.length === 0 ? [] : await this.#newServers(roomNid, joined, pace);
      if (servers.length > 0) arrivals.push({ servers, userNids: before });
    }
    return arrivals;
  }

  /** Whoever joins tells of themselves. */
  async #presentBefore(roomNid: number, joined: ReadonlySet<number>): Promise<readonly number[]> {
    const { memberships, presence } = this.#parts;
    const members = await memberships.localJoinedNids(roomNid, maxUsersPerRoom);
    return members.filter((userNid) => presence.isPresent(userNid) && !joined.has(userNid));
  }

  async #newServers(roomNid: number, userNids: readonly number[], pace: Pace): Promise<readonly string[]> {
    const { ownName, names, store } = this.#parts;
    const counts = new Map<string, number>();
    for (const userNid of userNids) {
      await pace.breathe();
      const serverName = serverNameOf((await names.userId(userNid)) as UserId);
      counts.set(serverName, (counts.get(serverName) ?? 0) + 1);
    }
    counts.delete(ownName);
    const arrived: string[] = [];
    for (const [serverName, count] of counts) {
      await pace.breathe();
      if ((await store.usersInRoom(roomNid, serverName)) <= count) arrived.push(serverName);
    }
    return arrived;
  }
}
