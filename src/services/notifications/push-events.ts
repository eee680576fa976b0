import { boundedCache } from "../../cache/bounded-cache.ts";
import { type PowerLevels, powerLevelsOf } from "../../protocol/auth/power-levels.ts";
import { isJsonObject, type JsonObject } from "../../protocol/json.ts";
import type { RoomEvent } from "../../protocol/pdu.ts";
import { EventForPush, type RoomForPush } from "../../protocol/push/event.ts";
import type { EventReader } from "../../state/event-reader.ts";
import type { Room, RoomIndex } from "../../state/room-index.ts";
import type { StateSnapshots } from "../../state/state-snapshots.ts";
import type { StoredEvent } from "../../storage/events.ts";
import type { MembershipStore } from "../../storage/memberships.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import { ReadCache } from "../../storage/read-cache.ts";
import type { StreamChange } from "../../storage/streams.ts";
import type { EventThreads } from "../../timeline/event-threads.ts";

/** An event as push rules see it, and the thread in which it counts. */
export interface PushableEvent {
  readonly event: EventForPush;
  /** The event ID of the thread's root, or `main`. */
  readonly thread: string;
}

export interface PushEventsParts {
  readonly rooms: RoomIndex;
  readonly events: EventReader;
  readonly snapshots: StateSnapshots;
  readonly names: NameCache;
  readonly memberships: Pick<MembershipStore, "counts">;
  readonly threads: EventThreads;
}

/** The newest events of busy rooms, each of which is looked at for every member. */
const cachedEvents = 5_000;
/** Rooms that are being written in. */
const cachedRooms = 10_000;

/** Makes events ready for the push rules of all who get them: once for all of them. */
export class PushEvents {
  readonly #parts: PushEventsParts;
  readonly #cache = boundedCache<number, PushableEvent>(cachedEvents);
  readonly #memberCounts: ReadCache<number, number>;
  readonly #notificationLevels = new WeakMap<RoomEvent, ReadonlyMap<string, number>>();

  constructor(parts: PushEventsParts) {
    this.#parts = parts;
    this.#memberCounts = new ReadCache(
      cachedRooms,
      async (roomNid) => (await parts.memberships.counts(roomNid)).joined,
    );
  }

  /** To be told of each commit before its position becomes visible. */
  readonly committed = (_position: number, changes: readonly StreamChange[]): void => {
    for (const { membership } of changes) if (membership) this.#memberCounts.forget(membership.roomNid);
  };

  /** The room is taken as it was before the event, but for the number of its members: that is the one of now. */
  async of(eventNid: number): Promise<PushableEvent> {
    const known = this.#cache.get(eventNid);
    if (known) return known;
    const stored = await this.#parts.events.stored(eventNid);
    const room = await this.#parts.rooms.byNid(stored.roomNid);
    const sender = await this.#parts.names.userId(stored.senderNid);
    const made = {
      event: new EventForPush(pushEvent(stored, room, sender), await this.#room(stored, room, sender)),
      thread: await this.#parts.threads.of(stored),
    };
    this.#cache.set(eventNid, made);
    return made;
  }

  async #room(stored: StoredEvent, room: Room, sender: string): Promise<RoomForPush> {
    const memberCount = await this.#memberCounts.get(stored.roomNid);
    const snapshotNid = stored.stateBefore ?? stored.stateAfter;
    const create = await this.#stateEvent(snapshotNid, "m.room.create");
    // Only the create event itself has none, and nobody is there yet to be notified of it.
    if (!create) return { memberCount, senderPowerLevel: 0, notificationLevels: new Map() };
    const powerLevels = await this.#stateEvent(snapshotNid, "m.room.power_levels");
    const levels = powerLevelsOf(room.version, create, powerLevels);
    return {
      memberCount,
      senderPowerLevel: levels.userLevel(sender),
      notificationLevels: this.#levelsIn(powerLevels ?? create, levels),
    };
  }

  #levelsIn(source: RoomEvent, levels: PowerLevels): ReadonlyMap<string, number> {
    const known = this.#notificationLevels.get(source);
    if (known) return known;
    const named = source.content["notifications"];
    const keys = isJsonObject(named) ? Object.keys(named) : [];
    const map = new Map(keys.map((key) => [key, levels.notificationLevel(key)]));
    this.#notificationLevels.set(source, map);
    return map;
  }

  async #stateEvent(snapshotNid: number | null, type: string): Promise<RoomEvent | undefined> {
    const pairNid = await this.#parts.names.findStatePair(type, "");
    if (pairNid === undefined || snapshotNid === null) return undefined;
    const eventNid = await this.#parts.snapshots.get(snapshotNid, pairNid);
    return eventNid === undefined ? undefined : this.#parts.events.roomEvent(eventNid);
  }
}

function pushEvent({ common, eventId, originServerTs }: StoredEvent, { roomId }: Room, sender: string) {
  const { type, content, state_key: stateKey, redacts } = JSON.parse(`{${common}}`) as JsonObject;
  return {
    eventId,
    roomId,
    sender,
    originServerTs,
    type: typeof type === "string" ? type : "",
    stateKey: typeof stateKey === "string" ? stateKey : undefined,
    content: isJsonObject(content) ? content : {},
    redacts: typeof redacts === "string" ? redacts : undefined,
  };
}
