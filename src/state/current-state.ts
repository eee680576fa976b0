import { type PowerLevels, powerLevelsOf } from "../protocol/auth/power-levels.ts";
import type { RoomEvent } from "../protocol/pdu.ts";
import type { NameCache } from "../storage/name-cache.ts";
import type { RoomStore } from "../storage/rooms.ts";
import type { EventReader } from "./event-reader.ts";
import type { Room } from "./room-index.ts";
import type { StateMap, StateSnapshots } from "./state-snapshots.ts";

const emptyState: StateMap = new Map();

/** Reads what is true in a room now, that is after the newest commit. */
export class CurrentState {
  readonly #rooms: RoomStore;
  readonly #snapshots: StateSnapshots;
  readonly #events: EventReader;
  readonly #names: NameCache;

  constructor(parts: { rooms: RoomStore; snapshots: StateSnapshots; events: EventReader; names: NameCache }) {
    this.#rooms = parts.rooms;
    this.#snapshots = parts.snapshots;
    this.#events = parts.events;
    this.#names = parts.names;
  }

  /** The state event with this type and state key. */
  async event(room: Room, type: string, stateKey: string): Promise<RoomEvent | undefined> {
    const pairNid = await this.#names.findStatePair(type, stateKey);
    if (pairNid === undefined) return undefined;
    const snapshotNid = await this.#snapshot(room);
    const nid = snapshotNid === null ? undefined : await this.#snapshots.get(snapshotNid, pairNid);
    return nid === undefined ? undefined : this.#events.roomEvent(nid);
  }

  /** The whole state: pair to event, as integer IDs. */
  async map(room: Room): Promise<StateMap> {
    const snapshotNid = await this.#snapshot(room);
    return snapshotNid === null ? emptyState : this.#snapshots.map(snapshotNid);
  }

  /** Who may do what. @throws Error for a room without a create event */
  async powerLevels(room: Room): Promise<PowerLevels> {
    const create = await this.event(room, "m.room.create", "");
    if (!create) throw new Error(`room ${room.roomId} has no create event`);
    return powerLevelsOf(room.version, create, await this.event(room, "m.room.power_levels", ""));
  }

  /** A user's membership as their member event has it; `leave` for whoever has none. */
  async membership(room: Room, userId: string): Promise<string> {
    const member = await this.event(room, "m.room.member", userId);
    const membership = member?.content["membership"];
    return typeof membership === "string" ? membership : "leave";
  }

  async #snapshot(room: Room): Promise<number | null> {
    return (await this.#rooms.byNid(room.roomNid))?.currentSnapshot ?? null;
  }
}
