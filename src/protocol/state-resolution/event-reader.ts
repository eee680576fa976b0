import type { ResolvableEvent, ResolutionSource } from "./types.ts";

/** Reads each event of one resolution once, and finds its way among auth events. */
export class EventReader {
  readonly #source: ResolutionSource;
  readonly #events = new Map<number, ResolvableEvent>();

  constructor(source: ResolutionSource) {
    this.#source = source;
  }

  /** The event with this integer. */
  event(nid: number): ResolvableEvent {
    const known = this.#events.get(nid);
    if (known !== undefined) return known;
    const event = this.#source.event(nid);
    this.#events.set(nid, event);
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
}
