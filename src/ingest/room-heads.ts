import type { Room } from "../state/room-index.ts";
import type { StateSnapshots } from "../state/state-snapshots.ts";
import type { RoomStore } from "../storage/rooms.ts";
import { HeadState } from "./head-state.ts";
import type { Extremity, HeadDraft, RoomHead } from "./room-head.ts";

/** Bounds memory: a head costs 8 KiB at most. */
const defaultMaxHeads = 2_000;

interface KeptHead {
  readonly room: Room;
  extremities: readonly Extremity[];
  snapshotNid: number | null;
  readonly state: HeadState;
}

/** What is on its way into storage for a room. */
interface UnderWay {
  commits: number;
  failed: boolean;
  whenIdle: (() => void)[];
}

/** Keeps the heads of busy rooms in memory. To be used inside the room's queue only. */
export class RoomHeads {
  readonly #rooms: Pick<RoomStore, "byNid" | "extremities">;
  readonly #snapshots: Pick<StateSnapshots, "get">;
  readonly #maxHeads: number;
  /** In order of last use. */
  readonly #heads = new Map<number, KeptHead>();
  readonly #underWay = new Map<number, UnderWay>();

  constructor(
    rooms: Pick<RoomStore, "byNid" | "extremities">,
    snapshots: Pick<StateSnapshots, "get">,
    maxHeads = defaultMaxHeads,
  ) {
    this.#rooms = rooms;
    this.#snapshots = snapshots;
    this.#maxHeads = maxHeads;
  }

  /** The head of a room that is to be made. */
  empty(room: Room): RoomHead {
    return { room, extremities: [], snapshotNid: null, state: new HeadState(this.#snapshots, null) };
  }

  /** The head of a room, with everything that is under way. A room without events has an empty one. */
  async load(room: Room): Promise<RoomHead> {
    if (this.#underWay.get(room.roomNid)?.failed) await this.idle(room.roomNid);
    const known = this.#heads.get(room.roomNid);
    if (known) {
      this.#heads.delete(room.roomNid);
      this.#heads.set(room.roomNid, known);
      return known;
    }
    const row = await this.#rooms.byNid(room.roomNid);
    const snapshotNid = row?.currentSnapshot ?? null;
    const state = new HeadState(this.#snapshots, snapshotNid);
    const head = { room, extremities: await this.#rooms.extremities(room.roomNid), snapshotNid, state };
    this.#heads.set(room.roomNid, head);
    this.#makeRoomFor(room.roomNid);
    return head;
  }

  /**
   * Moves a room's head to where a draft has come, and counts its commit as under way.
   * @returns false when the head has been dropped since, because what it builds on could not be stored
   */
  advance(head: RoomHead, draft: HeadDraft): boolean {
    const { roomNid } = head.room;
    const kept = this.#heads.get(roomNid);
    if (kept !== head) return false;
    kept.state.move(draft.snapshotNid, draft.changes);
    kept.extremities = draft.extremities;
    kept.snapshotNid = draft.snapshotNid;
    const underWay = this.#underWay.get(roomNid) ?? { commits: 0, failed: false, whenIdle: [] };
    underWay.commits++;
    this.#underWay.set(roomNid, underWay);
    return true;
  }

  /** Whether a head is still what the room's next event builds on. */
  keeps(head: RoomHead): boolean {
    return this.#heads.get(head.room.roomNid) === head;
  }

  /** To be told when a commit has ended. After a failure the head is read from storage again. */
  committed(roomNid: number, success: boolean): void {
    const underWay = this.#underWay.get(roomNid);
    if (!underWay) return;
    underWay.commits--;
    if (!success) {
      underWay.failed = true;
      this.#heads.delete(roomNid);
    }
    if (underWay.commits > 0) return;
    this.#underWay.delete(roomNid);
    for (const resume of underWay.whenIdle) resume();
  }

  /** Resolves once nothing of a room is on its way into storage. */
  idle(roomNid: number): Promise<void> {
    return new Promise((resolve) => {
      const underWay = this.#underWay.get(roomNid);
      if (underWay) underWay.whenIdle.push(resolve);
      else resolve();
    });
  }

  /** Those used least recently go. What is under way is not in storage yet: such a head has to stay. */
  #makeRoomFor(roomNid: number): void {
    for (const other of this.#heads.keys()) {
      if (this.#heads.size <= this.#maxHeads) return;
      if (other !== roomNid && !this.#underWay.has(other)) this.#heads.delete(other);
    }
  }
}
