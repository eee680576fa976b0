import { LRUCache } from "lru-cache";
import { boundedCache } from "../cache/bounded-cache.ts";
import { PassingMap } from "../cache/passing-map.ts";
import type { EventId } from "../protocol/identifiers.ts";
import type { RoomEvent } from "../protocol/pdu.ts";
import { toRoomEvent } from "../protocol/room-event.ts";
import type { EventStore, StoredEvent } from "../storage/events.ts";
import { pduOf } from "./event-text.ts";
import type { RoomIndex } from "./room-index.ts";

/** Bounds memory: the newest events and those of the state are asked for again and again. */
const cachedBytes = 32 * 1024 * 1024;
const cachedParsed = 10_000;
const overheadBytes = 400;

/** Reads stored events through a cache, as stored and as the protocol core works on them. */
export class EventReader {
  readonly #store: EventStore;
  readonly #rooms: RoomIndex;
  readonly #stored = new LRUCache<number, StoredEvent>({
    maxSize: cachedBytes,
    sizeCalculation: (event) => event.common.length + event.federation.length + overheadBytes,
  });
  readonly #parsed = boundedCache<number, RoomEvent>(cachedParsed);
  /** On their way into storage, which cannot give them back yet. Bounded by the writes that may wait. */
  readonly #unsettled = new PassingMap<number, RoomEvent>();
  /** Grows with each event that is forgotten: what was read before may be what has to be forgotten. */
  #forgotten = 0;

  constructor(store: EventStore, rooms: RoomIndex) {
    this.#store = store;
    this.#rooms = rooms;
  }

  /** @throws Error for an integer that is no event's */
  async stored(eventNid: number): Promise<StoredEvent> {
    const event = await this.find(eventNid);
    if (!event) throw new Error(`event ${eventNid} is missing`);
    return event;
  }

  /** The same, for who goes by what was noted a while ago: `undefined` when it has been purged since. */
  async find(eventNid: number): Promise<StoredEvent | undefined> {
    const known = this.#stored.get(eventNid);
    if (known) return known;
    const forgotten = this.#forgotten;
    const event = await this.#store.byNid(eventNid);
    if (event && forgotten === this.#forgotten) this.#stored.set(eventNid, event);
    return event;
  }

  /** In the order asked for. @throws Error when one is missing */
  async storedAll(eventNids: readonly number[]): Promise<StoredEvent[]> {
    const cached = eventNids.map((nid) => this.#stored.get(nid));
    const missing = eventNids.filter((_nid, index) => !cached[index]);
    if (missing.length === 0) return cached.filter((event) => event !== undefined);
    const forgotten = this.#forgotten;
    const read = new Map<number, StoredEvent>();
    for (const event of await this.#store.byNids(missing)) read.set(event.eventNid, event);
    if (forgotten === this.#forgotten) {
      for (const event of read.values()) this.#stored.set(event.eventNid, event);
    }
    return eventNids.map((nid, index) => {
      const event = cached[index] ?? read.get(nid);
      if (!event) throw new Error(`event ${nid} is missing`);
      return event;
    });
  }

  /** The same of very many, one part after the other: what nobody will ask for again soon is not kept. */
  async storedOnce(eventNids: readonly number[]): Promise<StoredEvent[]> {
    const read = new Map<number, StoredEvent>();
    const missing = eventNids.filter((nid) => !this.#stored.has(nid));
    for (const event of await this.#store.byNids(missing)) read.set(event.eventNid, event);
    return Promise.all(eventNids.map(async (nid) => read.get(nid) ?? this.stored(nid)));
  }

  /** An event as the core works on it. @throws Error for an integer that is no event's */
  async roomEvent(eventNid: number): Promise<RoomEvent> {
    const known = this.#unsettled.get(eventNid) ?? this.#parsed.get(eventNid);
    if (known) return known;
    const forgotten = this.#forgotten;
    const stored = await this.stored(eventNid);
    const { version } = await this.#rooms.byNid(stored.roomNid);
    const event = toRoomEvent(version, pduOf(stored, version.strictCanonicalJson), stored.eventId as EventId);
    if (forgotten === this.#forgotten) this.#parsed.set(eventNid, event);
    return event;
  }

  /** The same of many, which are read together; in the order asked for. */
  async roomEvents(eventNids: readonly number[]): Promise<RoomEvent[]> {
    await this.storedAll(eventNids.filter((nid) => !this.#unsettled.has(nid) && !this.#parsed.has(nid)));
    return Promise.all(eventNids.map((nid) => this.roomEvent(nid)));
  }

  /** The same of very many, of which nothing is kept. */
  async roomEventsOnce(eventNids: readonly number[]): Promise<RoomEvent[]> {
    const unparsed = eventNids.filter((nid) => !this.#unsettled.has(nid) && !this.#parsed.has(nid));
    const read = new Map<number, RoomEvent>();
    for (const stored of await this.storedOnce(unparsed)) {
      const { version } = await this.#rooms.byNid(stored.roomNid);
      const pdu = pduOf(stored, version.strictCanonicalJson);
      read.set(stored.eventNid, toRoomEvent(version, pdu, stored.eventId as EventId));
    }
    return Promise.all(eventNids.map(async (nid) => read.get(nid) ?? this.roomEvent(nid)));
  }

  /** Makes an event readable that is about to be committed. */
  announce(eventNid: number, event: RoomEvent): void {
    this.#unsettled.set(eventNid, event);
  }

  /** To be told when an announced event has been stored, or (without it) could not be. */
  settled(eventNid: number, stored: StoredEvent | undefined): void {
    const event = this.#unsettled.get(eventNid);
    this.#unsettled.delete(eventNid);
    if (!stored || !event) return;
    this.#stored.set(eventNid, stored);
    if (stored.pairNid !== null) this.#parsed.set(eventNid, event);
  }

  /** Forgets an event that has been redacted. */
  forget(eventNid: number): void {
    this.#forgotten += 1;
    this.#stored.delete(eventNid);
    this.#parsed.delete(eventNid);
  }
}
