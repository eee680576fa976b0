import type { LiveMemberships } from "../../notifier/live-memberships.ts";
import { presenceContent } from "../../services/presence/presence-content.ts";
import type { Presence } from "../../services/presence/presence.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import type { PresenceState, PresenceStore } from "../../storage/presence.ts";
import type { Clock } from "../../telemetry/clock.ts";
import { Pace } from "../../telemetry/pace.ts";
import type { SyncDevice } from "../sync-request.ts";
import type { PresenceQuery, PresenceStream } from "./presence.ts";

/** What one answer brings of a large server, the latest changes first. */
const maxEvents = 5_000;

export interface UserPresenceParts {
  readonly presence: Presence;
  readonly store: Pick<PresenceStore, "changedSince" | "presentIn">;
  readonly memberships: LiveMemberships;
  readonly names: NameCache;
  readonly clock: Clock;
}

/** `m.presence` of /sync: who of those that share a room with a user is seen how. */
export class UserPresenceStream implements PresenceStream {
  readonly #parts: UserPresenceParts;

  constructor(parts: UserPresenceParts) {
    this.#parts = parts;
  }

  syncing({ userNid, deviceId }: SyncDevice, state: PresenceState, timeoutMs: number): Promise<void> {
    return this.#parts.presence.syncing(userNid, deviceId, state, timeoutMs);
  }

  /** "Updates to the presence status of other users"; users see themselves in first syncs only. */
  async events(query: PresenceQuery): Promise<readonly string[]> {
    const { device, filter, newRooms, since } = query;
    const { presence, memberships, names, clock } = this.#parts;
    const mine = await memberships.load(device.userNid);
    const met = new Set(await this.#presentIn(since === undefined ? mine : newRooms));
    const pace = new Pace(clock);
    const events: string[] = [];
    for (const userNid of new Set([...met, ...(await this.#changed(query))])) {
      if (events.length >= maxEvents) break;
      await pace.breathe();
      const sender = await names.userId(userNid);
      if (!filter.matches({ type: "m.presence", sender })) continue;
      if (userNid === device.userNid && since !== undefined) continue;
      if (!met.has(userNid) && !(await this.#shareRoom(device.userNid, mine, userNid))) continue;
      const seen = await presence.of(userNid);
      if (!seen || (since === undefined && seen.state === "offline")) continue;
      const content = presenceContent(seen, clock.nowMs());
      events.push(JSON.stringify({ type: "m.presence", sender, content }));
    }
    return events;
  }

  async #changed({ device, userNids, since }: PresenceQuery): Promise<Iterable<number>> {
    if (userNids) return userNids;
    const { presence, store } = this.#parts;
    // Of those who are there, who is not stored yet is in no room's list.
    if (since === undefined) return [device.userNid, ...presence.changing];
    return store.changedSince(since, maxEvents);
  }

  /** Who is there in rooms that are new to the client: who is not mentioned is offline. */
  async #presentIn(rooms: ReadonlySet<number>): Promise<readonly number[]> {
    return rooms.size === 0 ? [] : this.#parts.store.presentIn([...rooms], maxEvents);
  }

  async #shareRoom(ownNid: number, mine: ReadonlySet<number>, userNid: number): Promise<boolean> {
    const { memberships } = this.#parts;
    if (userNid === ownNid) return true;
    return !mine.isDisjointFrom(memberships.roomsOf(userNid) ?? (await memberships.load(userNid)));
  }
}
