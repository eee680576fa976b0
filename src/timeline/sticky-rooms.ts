import type { StickyEventStore } from "../storage/sticky-events.ts";
import type { StreamChange } from "../storage/streams.ts";
import type { Clock } from "../telemetry/clock.ts";

/** Knows which rooms have sticky events (MSC4354): few do, and nobody else is to pay for them. */
export class StickyRooms {
  readonly #store: Pick<StickyEventStore, "rooms" | "untilTs">;
  readonly #clock: Clock;
  /** By room, until when there are some. */
  readonly #untilTs = new Map<number, number>();

  constructor(store: Pick<StickyEventStore, "rooms" | "untilTs">, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** To be called once, before anything is committed. */
  async load(): Promise<void> {
    for (const { roomNid, untilTs } of await this.#store.rooms(this.#clock.nowMs())) {
      this.#untilTs.set(roomNid, untilTs);
    }
  }

  /** To be told of each commit before its position becomes visible. */
  readonly committed = (_position: number, changes: readonly StreamChange[]): void => {
    for (const { nid, stickyUntilTs } of changes) {
      if (stickyUntilTs === undefined) continue;
      this.#untilTs.set(nid, Math.max(stickyUntilTs, this.#untilTs.get(nid) ?? 0));
    }
  };

  get isEmpty(): boolean {
    return this.#untilTs.size === 0;
  }

  /** Whether a room may have sticky events. */
  has(roomNid: number): boolean {
    const untilTs = this.#untilTs.get(roomNid);
    if (untilTs === undefined) return false;
    if (untilTs > this.#clock.nowMs()) return true;
    this.#untilTs.delete(roomNid);
    return false;
  }

  /** For how many milliseconds those of some events of a room that are sticky go on being so, by event. */
  async ttls(
    roomNid: number,
    events: readonly { readonly eventNid: number }[],
  ): Promise<ReadonlyMap<number, number> | undefined> {
    if (!this.has(roomNid)) return undefined;
    const nowMs = this.#clock.nowMs();
    const untilTs = await this.#store.untilTs(
      events.map(({ eventNid }) => eventNid),
      nowMs,
    );
    return new Map([...untilTs].map(([eventNid, ts]) => [eventNid, ts - nowMs]));
  }
}
