import type { EventReader } from "../state/event-reader.ts";
import type { PartialRooms } from "../state/partial-rooms.ts";
import type { StateSnapshots } from "../state/state-snapshots.ts";
import type { EventStore, StoredEvent } from "../storage/events.ts";
import type { NameCache } from "../storage/name-cache.ts";

export interface MemberEventsParts {
  readonly names: NameCache;
  readonly snapshots: StateSnapshots;
  readonly events: Pick<EventReader, "roomEvent">;
  readonly eventStore: Pick<EventStore, "stateEntries">;
  readonly partialRooms: Pick<PartialRooms, "has">;
}

/** Finds the member events that go with other events, for clients that load members lazily. */
export class MemberEvents {
  readonly #parts: MemberEventsParts;

  constructor(parts: MemberEventsParts) {
    this.#parts = parts;
  }

  /** The member events, in a state, of those who sent some events and of further users: by state pair. */
  async of(
    snapshotNid: number | null,
    shown: readonly StoredEvent[],
    furtherUserIds: readonly string[] = [],
  ): Promise<Map<number, number>> {
    const { names, snapshots, partialRooms } = this.#parts;
    const members = new Map<number, number>();
    if (snapshotNid === null) return members;
    const sentBy = new Map(shown.map((event) => [event.senderNid, event]));
    const userIds = new Map<string, StoredEvent | undefined>(furtherUserIds.map((id) => [id, undefined]));
    for (const [senderNid, event] of sentBy) userIds.set(await names.userId(senderNid), event);
    for (const [userId, event] of userIds) {
      const pairNid = await names.findStatePair("m.room.member", userId);
      if (pairNid === undefined) continue;
      const known = await snapshots.get(snapshotNid, pairNid);
      const isMissing = known === undefined && event !== undefined && partialRooms.has(event.roomNid);
      const eventNid = isMissing ? await this.#among(event, pairNid) : known;
      if (eventNid !== undefined) members.set(pairNid, eventNid);
    }
    return members;
  }

  /** Of a room whose members are not all known, the sender's is among what an event rests on (MSC3902, "Lazy-loading"). */
  async #among({ eventNid }: StoredEvent, memberPairNid: number): Promise<number | undefined> {
    const { events, eventStore } = this.#parts;
    const { authEventIds } = await events.roomEvent(eventNid);
    const entries = await eventStore.stateEntries(authEventIds);
    return entries.find(({ pairNid }) => pairNid === memberPairNid)?.eventNid;
  }
}
