import { boundedCache } from "../cache/bounded-cache.ts";
import type { PendingStateEvent, SnapshotRow, StateStore } from "../storage/state.ts";
import type { Clock } from "../telemetry/clock.ts";
import { Observed } from "../telemetry/observations.ts";
import type { StateDelta } from "./delta.ts";
import type { Room } from "./room-index.ts";
import type { StateSnapshots } from "./state-snapshots.ts";

/** While a fork lasts, the same states are resolved again and again. */
const cachedResolutions = 10_000;

/** What has been made and is not in storage yet. Snapshots that a resolution makes are added. */
export interface PendingState {
  readonly snapshots: SnapshotRow[];
  readonly stateEvents: readonly PendingStateEvent[];
}

/** Resolves the states of forks; the work itself is done by storage, off the main thread. */
export class StateResolver {
  readonly #store: Pick<StateStore, "resolve">;
  readonly #snapshots: Pick<StateSnapshots, "derive">;
  readonly #clock: Clock;
  readonly #observed: Observed<number>;
  readonly #resolved = boundedCache<string, number>(cachedResolutions);

  constructor(
    store: Pick<StateStore, "resolve">,
    snapshots: Pick<StateSnapshots, "derive" | "followLosses">,
    clock: Clock,
    observed: Observed<number> = new Observed(),
  ) {
    this.#clock = clock;
    this.#observed = observed;
    this.#store = store;
    this.#snapshots = snapshots;
    snapshots.followLosses((snapshotNids) => this.#forget(new Set(snapshotNids)));
  }

  /**
   * The resolution of states, as a snapshot: one of theirs, or a new one that is derived from the one it is most like.
   * @param snapshotNids at least one
   */
  async resolve(room: Room, snapshotNids: readonly number[], pending: PendingState): Promise<number> {
    const different = [...new Set(snapshotNids)];
    const [first] = different;
    if (first === undefined) throw new Error("there are no states to resolve");
    if (different.length === 1) return first;
    const key = different.toSorted((a, b) => a - b).join(" ");
    const known = this.#resolved.get(key);
    if (known !== undefined) return known;
    const startMs = this.#clock.monotonicMs();
    const { snapshotNid, changes } = await this.#store.resolve({
      roomNid: room.roomNid,
      version: room.version.id,
      snapshotNids: different,
      pendingSnapshots: pending.snapshots,
      pendingEvents: pending.stateEvents,
    });
    this.#observed.tell(this.#clock.monotonicMs() - startMs);
    const resolved = changes.size === 0 ? snapshotNid : await this.#derived(snapshotNid, changes, pending);
    this.#resolved.set(key, resolved);
    return resolved;
  }

  async #derived(snapshotNid: number, changes: StateDelta, pending: PendingState): Promise<number> {
    const row = await this.#snapshots.derive(snapshotNid, changes);
    pending.snapshots.push(row);
    return row.snapshotNid;
  }

  /** What is not there is no resolution of anything. */
  #forget(lost: ReadonlySet<number>): void {
    for (const [key, snapshotNid] of this.#resolved.entries()) {
      if (lost.has(snapshotNid)) this.#resolved.delete(key);
    }
  }
}
