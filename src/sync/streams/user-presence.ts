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
  readonly store: Pick<PresenceStore, "changedSince">;
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
    const pace = new Pace(clock);
    const events: string[] = [];
    for (const userNid of new Set([...(await this.#changed(query)), ...this.#metIn(newRooms)])) {
      if (events.length >= maxEvents) break;
      await pace.breathe();
      const sender = await names.userId(userNid);
      if (!filter.matches({ type: "m.presence", sender })) continue;
      const theirs = memberships.roomsOf(userNid) ?? (await memberships.load(userNid));
      if (userNid === device.userNid ? since !== undefined : mine.isDisjointFrom(theirs)) continue;
      const seen = await presence.of(userNid);
      if (!seen) continue;
      const content = presenceContent(seen, clock.nowMs());
      events.push(JSON.stringify({ type: "m.presence", sender, content }));
    }
    return events;
  }

  /** For a first sync those who are there: who is not mentioned is offline. */
  async #changed({ userNids, since }: PresenceQuery): Promise<Iterable<number>> {
    if (userNids) return userNids;
    if (since === undefined) return this.#parts.presence.everybodyPresent();
    return this.#parts.store.changedSince(since, maxEvents);
  }

  /** Those who are there and in rooms that the user has come into. */
  *#metIn(newRooms: ReadonlySet<number>): Iterable<number> {
    if (newRooms.size === 0) return;
    for (const userNid of this.#parts.presence.everybodyPresent()) {
      const rooms = this.#parts.memberships.roomsOf(userNid);
      if (rooms && !rooms.isDisjointFrom(newRooms)) yield userNid;
    }
  }
}
