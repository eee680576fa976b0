import { compareCodePoints } from "../canonical-json.ts";
import type { EventReader } from "./event-reader.ts";
import type { ResolvableEvent } from "./types.ts";

/**
 * Sorts events by mainline ordering, earliest first (room version 2, "State resolution", "Mainline ordering").
 *
 * @param powerLevels the power levels event that the mainline starts from, or `undefined` when the state has none
 */
export function mainlineOrder(
  reader: EventReader,
  events: Iterable<number>,
  powerLevels: number | undefined,
): number[] {
  const mainline = new Mainline(reader, powerLevels);
  const placed = Array.from(events, (nid) => {
    const event = reader.event(nid);
    const { originServerTs, eventId } = event.roomEvent;
    return { nid, position: mainline.positionOf(event), originServerTs, eventId };
  });
  placed.sort((x, y) => {
    // 1. The mainline position of x is greater than the mainline position of y.
    if (x.position !== y.position) return x.position > y.position ? -1 : 1;
    // 2. The positions are the same, but x's origin_server_ts is less than y's.
    if (x.originServerTs !== y.originServerTs) return x.originServerTs - y.originServerTs;
    // 3. These are the same too, but x's event_id is less than y's.
    return compareCodePoints(x.eventId, y.eventId);
  });
  return placed.map(({ nid }) => nid);
}

/** The mainline of a power levels event, and the positions on it of whatever was asked for. */
class Mainline {
  readonly #reader: EventReader;
  /** By power levels event; those beside the mainline have the position at which their own line meets it. */
  readonly #positions = new Map<number, number>();

  constructor(reader: EventReader, powerLevels: number | undefined) {
    this.#reader = reader;
    let next = powerLevels === undefined ? undefined : reader.event(powerLevels);
    while (next !== undefined && !this.#positions.has(next.nid)) {
      this.#positions.set(next.nid, this.#positions.size);
      next = this.#powerLevelsBefore(next);
    }
  }

  /** The mainline position of an event: 0 for the newest, infinite for events that rest on none of the mainline. */
  positionOf(event: ResolvableEvent): number {
    const passed = new Set<number>();
    let position: number | undefined;
    let next = this.#powerLevelsBefore(event);
    while (next !== undefined && position === undefined && !passed.has(next.nid)) {
      position = this.#positions.get(next.nid);
      passed.add(next.nid);
      next = this.#powerLevelsBefore(next);
    }
    position ??= Number.POSITIVE_INFINITY;
    for (const nid of passed) this.#positions.set(nid, position);
    return position;
  }

  #powerLevelsBefore(event: ResolvableEvent): ResolvableEvent | undefined {
    return this.#reader.authEvent(event, "m.room.power_levels", "");
  }
}
