import type { ResolvableEvent, ResolutionSource } from "./types.ts";

/** Reads each event of one resolution once, and finds its way among auth events. */
export class EventReader {
  readonly #source: Pick<ResolutionSource, "events">;
  readonly #events = new Map<number, ResolvableEvent>();

  constructor(source: Pick<ResolutionSource, "events">) {
    this.#source = source;
  }

  /** Reads events at once, and then what they cite. */
  prepare(nids: Iterable<number>): void {
    this.#read(nids);
    this.#read(Array.from(nids, (nid) => this.event(nid).authEventNids).flat());
  }

  /** The event with this integer. */
  event(nid: number): ResolvableEvent {
    const known = this.#events.get(nid);
    if (known !== undefined) return known;
    this.#read([nid]);
    const event = this.#events.get(nid);
    if (event === undefined) throw new Error(`there is no event ${nid} to resolve`);
    return event;
  }

  /** The first of an event's auth events with this type and state key. */
  authEvent(event: ResolvableEvent, type: string, stateKey: string): ResolvableEvent | undefined {
    for (const nid of event.authEventNids) {
      const authEvent = this.event(nid);
      if (authEvent.roomEvent.type === type && authEvent.roomEvent.stateKey === stateKey) return authEvent;
    }
    return undefined;
  }

  #read(nids: Iterable<number>): void {
    const unread = new Set<number>();
    for (const nid of nids) if (!this.#events.has(nid)) unread.add(nid);
    if (unread.size === 0) return;
    for (const event of this.#source.events([...unread])) this.#events.set(event.nid, event);
  }
}
