import type { EventFilter } from "../event-filter.ts";
import type { SyncDevice } from "../sync-request.ts";

export interface PresenceQuery {
  readonly device: SyncDevice;
  /** Users whose presence may have changed; `undefined` when it may be anybody's. */
  readonly userNids: ReadonlySet<number> | undefined;
  /** Rooms that the device's user has joined since: whoever is in them is new to the client. */
  readonly newRooms: ReadonlySet<number>;
  readonly since: number | undefined;
  readonly upTo: number;
  readonly filter: EventFilter;
}

/** Presence of the users who share a room with a device's user (client-server API, "Presence"). */
export interface PresenceStream {
  /** `m.presence` events, as JSON. */
  events(query: PresenceQuery): Promise<readonly string[]>;
  /** A device has begun to sync, waits for an answer so long at most, and wants its user to be seen like this. */
  syncing(
    device: SyncDevice,
    presence: "online" | "offline" | "unavailable",
    timeoutMs: number,
  ): Promise<void>;
}
