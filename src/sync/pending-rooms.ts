import type { EventReader } from "../state/event-reader.ts";
import type { StateSnapshots } from "../state/state-snapshots.ts";
import type { EventStore, StoredEvent } from "../storage/events.ts";
import type { NameCache } from "../storage/name-cache.ts";
import { type HiddenInvites, isHidden } from "./hidden-invites.ts";
import type { PendingRoom } from "./room-list.ts";

/** What a potential joiner is shown of a room (client-server API, "Stripped state"). */
export const shownTypes = [
  "m.room.create",
  "m.room.join_rules",
  "m.room.canonical_alias",
  "m.room.avatar",
  "m.room.encryption",
  "m.room.name",
  "m.room.topic",
] as const;

/** Shows rooms to those who are invited to them or have knocked. */
export class PendingRooms {
  readonly #events: EventReader;
  readonly #snapshots: StateSnapshots;
  readonly #names: NameCache;
  readonly #store: Pick<EventStore, "strippedState">;

  constructor(parts: {
    events: EventReader;
    snapshots: StateSnapshots;
    names: NameCache;
    store: Pick<EventStore, "strippedState">;
  }) {
    this.#events = parts.events;
    this.#snapshots = parts.snapshots;
    this.#names = parts.names;
    this.#store = parts.store;
  }

  /** Whether an invite is not for the user's eyes. */
  async isHidden({ eventNid }: PendingRoom, hidden: HiddenInvites): Promise<boolean> {
    const { senderNid } = await this.#events.stored(eventNid);
    return isHidden(hidden, senderNid, await this.#names.userId(senderNid));
  }

  /** The stripped state of a room with the user's own member event, as JSON joined by commas. */
  async strippedState({ eventNid }: PendingRoom): Promise<string> {
    const member = await this.#events.stored(eventNid);
    const received = await this.#store.strippedState(eventNid);
    const own = strippedEvent(member);
    return [...(received ?? (await this.#stateBefore(member))), own].join(",");
  }

  /** As the room was when the member event was sent: what changes later is not for those outside. */
  async #stateBefore(member: StoredEvent): Promise<string[]> {
    const { stateBefore, senderNid, pairNid: ownPair } = member;
    if (stateBefore === null) return [];
    const shown: [type: string, stateKey: string][] = shownTypes.map((type) => [type, ""]);
    // Whoever is invited wants to know by whom. The user's own event follows anyway.
    shown.push(["m.room.member", await this.#names.userId(senderNid)]);
    const texts: string[] = [];
    for (const [type, stateKey] of shown) {
      const pairNid = await this.#names.findStatePair(type, stateKey);
      if (pairNid === undefined || pairNid === ownPair) continue;
      const nid = await this.#snapshots.get(stateBefore, pairNid);
      if (nid !== undefined) texts.push(strippedEvent(await this.#events.stored(nid)));
    }
    return texts;
  }
}

/** "Stripped state events can only have the `sender`, `type`, `state_key` and `content` properties present." */
function strippedEvent({ common }: StoredEvent): string {
  const { sender, type, state_key, content } = JSON.parse(`{${common}}`) as Record<string, unknown>;
  return JSON.stringify({ content, sender, state_key, type });
}
