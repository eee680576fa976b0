import { Rounds } from "../concurrency/rounds.ts";
import type { StateSnapshots } from "../state/state-snapshots.ts";
import type {
  DroppedSnapshots,
  ReferenceCursor,
  SnapshotCollectionStore,
} from "../storage/snapshot-collection.ts";
import type { Clock } from "../telemetry/clock.ts";
import type { Logger } from "../telemetry/log.ts";

export interface SnapshotCollectorParts {
  readonly store: SnapshotCollectionStore;
  readonly snapshots: Pick<StateSnapshots, "discount">;
  /** Runs work while nothing of a room is on its way into storage. */
  readonly whileIdle: <Result>(roomNid: number, work: () => Promise<Result>) => Promise<Result>;
  readonly clock: Clock;
  readonly log: Logger;
}

const intervalMs = 5 * 60 * 1000;
/** A request that has read an event which has gone since may still read its state. */
const graceMs = 60 * 1000;
/** What is kept in mind of rooms from one round to the next. */
const roomsAtOnce = 20;
/** Of each room in a round. */
const snapshotsAtOnce = 20_000;
/** Takes the reading worker some ten milliseconds. */
const eventsAtOnce = 2_000;
/** Takes the writer some milliseconds. */
const removedAtOnce = 500;

const firstEvents: ReferenceCursor = { isPlaced: false, after: 0 };

/**
 * Takes state snapshots away that no event refers to any more: of history that was purged, or of what was thought of a room
 * before all of its state had come. In the background and in short parts.
 *
 * Why none is taken that something refers to: new events refer to states of events that are there, or to what has just been
 * made of them. So as long as nothing ceases to refer to a snapshot while the room's events are gone through, each reference is
 * either found or was made from one that is. When something does, storage refuses, and the next round begins anew.
 */
export class SnapshotCollector implements AsyncDisposable {
  readonly #parts: SnapshotCollectorParts;
  readonly #rounds: Rounds;
  /** Rooms, and what had been dropped in them when the last round ended. */
  readonly #waiting = new Map<number, DroppedSnapshots>();

  constructor(parts: SnapshotCollectorParts) {
    this.#parts = parts;
    this.#rounds = new Rounds(() => this.#round(), parts.clock);
  }

  /** To be called at the start: from then on it looks every few minutes. */
  begin(): void {
    this.#rounds.beginIn(intervalMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#rounds[Symbol.asyncDispose]();
  }

  /** A round collects what the one before has listed. */
  async #round(): Promise<void> {
    try {
      for (const [roomNid, dropped] of this.#waiting) await this.#collect(roomNid, dropped);
      await this.#list();
    } catch (error) {
      this.#waiting.clear();
      this.#parts.log.error(
        { err: error },
        "superfluous room states could not be collected; trying again later",
      );
    }
    this.#rounds.beginIn(this.#waiting.size > 0 ? graceMs : intervalMs);
  }

  async #list(): Promise<void> {
    const { store, snapshots, whileIdle } = this.#parts;
    this.#waiting.clear();
    let room = await store.nextRoom(0);
    while (room !== undefined && !this.#rounds.isClosed) {
      const roomNid = room;
      const dropped = await whileIdle(roomNid, async () => {
        const found = await store.dropped(roomNid, snapshotsAtOnce);
        snapshots.discount(found.snapshotNids);
        return found;
      });
      this.#waiting.set(roomNid, dropped);
      if (this.#waiting.size === roomsAtOnce) return;
      room = await store.nextRoom(roomNid);
    }
  }

  async #collect(roomNid: number, { snapshotNids, generation }: DroppedSnapshots): Promise<void> {
    const { store } = this.#parts;
    const unused = new Set(snapshotNids);
    const lowestNid = snapshotNids[0] ?? 0;
    for (let cursor: ReferenceCursor | null = firstEvents; cursor; ) {
      if (this.#rounds.isClosed) return;
      const found = await store.references(roomNid, cursor, eventsAtOnce, lowestNid);
      for (const nid of found.snapshotNids) unused.delete(nid);
      cursor = found.next;
    }
    // What is derived from others goes before them.
    const removed = [...unused].toReversed();
    const kept = snapshotNids.filter((nid) => !unused.has(nid));
    const parts = [
      ...partsOf(removed).map((nids) => [nids, []] as const),
      ...partsOf(kept).map((nids) => [[], nids] as const),
    ];
    let last = generation;
    for (const [unusedPart, usedPart] of parts) {
      const next = this.#rounds.isClosed
        ? undefined
        : await store.remove(roomNid, last, unusedPart, usedPart);
      if (next === undefined) return;
      last = next;
    }
    if (removed.length > 0)
      this.#parts.log.info(
        { roomNid, snapshots: removed.length },
        "superfluous room states have been removed",
      );
  }
}

function* partsOf(nids: readonly number[]): Generator<readonly number[]> {
  for (let first = 0; first < nids.length; first += removedAtOnce)
    yield nids.slice(first, first + removedAtOnce);
}
