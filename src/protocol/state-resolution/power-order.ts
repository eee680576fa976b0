import { powerLevelsOf } from "../auth/power-levels.ts";
import { compareCodePoints } from "../canonical-json.ts";
import type { RoomEvent } from "../pdu.ts";
import type { RoomVersion } from "../room-versions.ts";
import type { EventReader } from "./event-reader.ts";
import { Heap } from "./heap.ts";
import type { ResolvableEvent } from "./types.ts";

/**
 * Whether an event might take away someone's power (room version 2, "State resolution", "Power events"). Power levels and
 * join rules count where they have effect, which is under the empty state key. The create event is taken along, as
 * other servers do: nothing is allowed before it.
 */
export function isPowerEvent({ type, stateKey, sender, content }: RoomEvent): boolean {
  if (type === "m.room.power_levels" || type === "m.room.join_rules" || type === "m.room.create") {
    return stateKey === "";
  }
  if (type !== "m.room.member") return false;
  const membership = content["membership"];
  return (membership === "leave" || membership === "ban") && sender !== stateKey;
}

/**
 * The power events of the full conflicted set, with those events of it that they rest on (step 1 of the algorithm).
 * Auth events are followed within the set only, as other servers do.
 */
export function selectPowerEvents(reader: EventReader, fullConflictedSet: ReadonlySet<number>): Set<number> {
  const selected = new Set<number>();
  const pending: number[] = [];
  for (const nid of fullConflictedSet) if (isPowerEvent(reader.event(nid).roomEvent)) pending.push(nid);
  for (let nid = pending.pop(); nid !== undefined; nid = pending.pop()) {
    if (selected.has(nid)) continue;
    selected.add(nid);
    for (const authNid of reader.event(nid).authEventNids) {
      if (fullConflictedSet.has(authNid)) pending.push(authNid);
    }
  }
  return selected;
}

interface Vertex {
  readonly nid: number;
  readonly eventId: string;
  readonly originServerTs: number;
  readonly senderLevel: number;
  /** How many of its auth events are still to be placed. */
  waitingFor: number;
  /** The events that cite it. */
  readonly citedBy: Vertex[];
}

/**
 * Sorts events into the reverse topological power ordering, earliest first: Kahn's algorithm along auth events, the
 * smallest candidate first. Events that cite each other in a circle, which no valid event does, are left out.
 *
 * @param create the room's create event, for room versions whose events do not cite it
 */
export function reverseTopologicalPowerOrder(
  version: RoomVersion,
  reader: EventReader,
  events: ReadonlySet<number>,
  create: RoomEvent | undefined,
): number[] {
  const vertices = new Map<number, Vertex>();
  for (const nid of events) vertices.set(nid, toVertex(version, reader, reader.event(nid), create));
  const candidates = new Heap(comparePower);
  for (const vertex of vertices.values()) {
    for (const authNid of new Set(reader.event(vertex.nid).authEventNids)) {
      const cited = vertices.get(authNid);
      if (cited === undefined) continue;
      cited.citedBy.push(vertex);
      vertex.waitingFor += 1;
    }
    if (vertex.waitingFor === 0) candidates.push(vertex);
  }

  const ordered: number[] = [];
  for (let next = candidates.pop(); next !== undefined; next = candidates.pop()) {
    ordered.push(next.nid);
    for (const citing of next.citedBy) {
      citing.waitingFor -= 1;
      if (citing.waitingFor === 0) candidates.push(citing);
    }
  }
  return ordered;
}

function toVertex(
  version: RoomVersion,
  reader: EventReader,
  event: ResolvableEvent,
  create: RoomEvent | undefined,
): Vertex {
  const { eventId, originServerTs } = event.roomEvent;
  const senderLevel = senderLevelOf(version, reader, event, create);
  return { nid: event.nid, eventId, originServerTs, senderLevel, waitingFor: 0, citedBy: [] };
}

/** The power level of an event's sender "when looking at their respective auth_events". */
function senderLevelOf(
  version: RoomVersion,
  reader: EventReader,
  event: ResolvableEvent,
  roomCreate: RoomEvent | undefined,
): number {
  const create = reader.authEvent(event, "m.room.create", "")?.roomEvent ?? roomCreate;
  if (create === undefined) return 0;
  const powerLevels = reader.authEvent(event, "m.room.power_levels", "")?.roomEvent;
  return powerLevelsOf(version, create, powerLevels).userLevel(event.roomEvent.sender);
}

/** *x* < *y* of the reverse topological power ordering. */
function comparePower(x: Vertex, y: Vertex): number {
  // 1. x's sender has greater power level than y's sender.
  if (x.senderLevel !== y.senderLevel) return x.senderLevel > y.senderLevel ? -1 : 1;
  // 2. x's origin_server_ts is less than y's.
  if (x.originServerTs !== y.originServerTs) return x.originServerTs - y.originServerTs;
  // 3. x's event_id is less than y's.
  return compareCodePoints(x.eventId, y.eventId);
}
