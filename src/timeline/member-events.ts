import type { StateSnapshots } from "../state/state-snapshots.ts";
import type { StoredEvent } from "../storage/events.ts";
import type { NameCache } from "../storage/name-cache.ts";

/** Finds the member events that go with other events, for clients that load members lazily. */
export class MemberEvents {
  readonly #names: NameCache;
  readonly #snapshots: StateSnapshots;

  constructor(names: NameCache, snapshots: StateSnapshots) {
    this.#names = names;
    this.#snapshots = snapshots;
  }

  /** The member events, in a state, of those who sent some events and of further users: by state pair. */
  async of(
    snapshotNid: number | null,
    shown: readonly StoredEvent[],
    furtherUserIds: readonly string[] = [],
  ): Promise<Map<number, number>> {
    const members = new Map<number, number>();
    if (snapshotNid === null) return members;
    const userIds = new Set(furtherUserIds);
    for (const senderNid of new Set(shown.map((event) => event.senderNid))) {
      userIds.add(await this.#names.userId(senderNid));
    }
    for (const userId of userIds) {
      const pairNid = await this.#names.findStatePair("m.room.member", userId);
      const eventNid = pairNid === undefined ? undefined : await this.#snapshots.get(snapshotNid, pairNid);
      if (pairNid !== undefined && eventNid !== undefined) members.set(pairNid, eventNid);
    }
    return members;
  }
}
