import { compareCodePoints } from "../canonical-json.ts";
import type { EventReader } from "./event-reader.ts";
import { meetingHeight, type Successions } from "./succession.ts";
import type { ResolvableEvent } from "./types.ts";

/**
 * Sorts events by mainline ordering, earliest first (room version 2, "State resolution", "Mainline ordering").
 *
 * @param powerLevels the power levels event that the mainline starts from, or `undefined` when the state has none
 */
export function mainlineOrder(
  successions: Successions,
  reader: EventReader,
  events: Iterable<number>,
  powerLevels: number | undefined,
): number[] {
  const mainline = new Mainline(successions, reader, powerLevels);
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

/** The mainline of a power levels event: the line of power levels that have succeeded each other until it. */
class Mainline {
  readonly #successions: Successions;
  readonly #reader: EventReader;
  readonly #newest: number | undefined;
  readonly #positions = new Map<number, number>();

  constructor(successions: Successions, reader: EventReader, powerLevels: number | undefined) {
    this.#successions = successions;
    this.#reader = reader;
    this.#newest = powerLevels;
  }

  /** The mainline position of an event: 0 for the newest, infinite for events that rest on none of the mainline. */
  positionOf(event: ResolvableEvent): number {
    const powerLevels = this.#reader.authEvent(event, "m.room.power_levels", "")?.nid;
    if (powerLevels === undefined) return Number.POSITIVE_INFINITY;
    const position = this.#positions.get(powerLevels) ?? this.#find(powerLevels);
    this.#positions.set(powerLevels, position);
    return position;
  }

  #find(powerLevels: number): number {
    const newest = this.#newest;
    const height = newest === undefined ? undefined : meetingHeight(this.#successions, newest, powerLevels);
    if (newest === undefined || height === undefined) return Number.POSITIVE_INFINITY;
    return this.#successions.succession(newest).height - height;
  }
}
