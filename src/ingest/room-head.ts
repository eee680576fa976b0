import type { Room } from "../state/room-index.ts";
import type { StateDelta } from "../state/delta.ts";
import type { HeadState } from "./head-state.ts";

export interface Extremity {
  readonly eventNid: number;
  readonly eventId: string;
  readonly depth: number;
}

/** Where a room's graph stands: what the next event builds on. Ahead of storage by the commits that are under way. */
export interface RoomHead {
  readonly room: Room;
  readonly extremities: readonly Extremity[];
  /** The state after the extremities. */
  readonly snapshotNid: number | null;
  readonly state: HeadState;
}

/**
 * A head that is being moved by events which may yet be refused. Its state is the head's with changes laid over it, so
 * that a draft of a room with many members costs nothing.
 */
export class HeadDraft {
  readonly room: Room;
  readonly #base: HeadState;
  readonly #changes = new Map<number, number | undefined>();
  #stateEventsAdded = 0;
  extremities: readonly Extremity[];
  snapshotNid: number | null;

  constructor(head: RoomHead) {
    this.room = head.room;
    this.#base = head.state;
    this.extremities = head.extremities;
    this.snapshotNid = head.snapshotNid;
  }

  /** The event of a pair in the drafted state. */
  get(pairNid: number): Promise<number | undefined> | number | undefined {
    return this.#changes.has(pairNid) ? this.#changes.get(pairNid) : this.#base.get(pairNid);
  }

  /** @param before what `get` gives */
  set(pairNid: number, eventNid: number | undefined, before: number | undefined): void {
    this.#changes.set(pairNid, eventNid);
    this.#stateEventsAdded += Number(eventNid !== undefined) - Number(before !== undefined);
  }

  /** By how many events the drafted state is larger than the head's. */
  get stateEventsAdded(): number {
    return this.#stateEventsAdded;
  }

  /** What the draft changes in the head's state. */
  get changes(): StateDelta {
    return this.#changes;
  }
}
