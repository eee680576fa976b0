import type { StateDelta } from "../state/delta.ts";
import type { StateSnapshots } from "../state/state-snapshots.ts";

/** Bounds memory: what most events of a room ask for is its power levels and rules, and a few members. */
const knownEntries = 128;

/** The state after a room's extremities, of which no more is read than somebody asks for. */
export class HeadState {
  readonly #snapshots: Pick<StateSnapshots, "get">;
  #snapshotNid: number | null;
  readonly #known = new Map<number, number | undefined>();

  /** @param snapshotNid `null` for an empty state */
  constructor(snapshots: Pick<StateSnapshots, "get">, snapshotNid: number | null) {
    this.#snapshots = snapshots;
    this.#snapshotNid = snapshotNid;
  }

  /** The event of a pair: at once where it is known. */
  get(pairNid: number): Promise<number | undefined> | number | undefined {
    const known = this.#known.get(pairNid);
    if (known !== undefined || this.#snapshotNid === null || this.#known.has(pairNid)) return known;
    return this.#read(pairNid, this.#snapshotNid);
  }

  /** @param changes in what the new snapshot differs from the one before */
  move(snapshotNid: number | null, changes: StateDelta): void {
    this.#snapshotNid = snapshotNid;
    for (const [pairNid, eventNid] of changes) this.#remember(pairNid, eventNid);
  }

  async #read(pairNid: number, snapshotNid: number): Promise<number | undefined> {
    const eventNid = await this.#snapshots.get(snapshotNid, pairNid);
    if (this.#snapshotNid === snapshotNid) this.#remember(pairNid, eventNid);
    return eventNid;
  }

  #remember(pairNid: number, eventNid: number | undefined): void {
    if (this.#known.size >= knownEntries && !this.#known.has(pairNid)) this.#known.clear();
    this.#known.set(pairNid, eventNid);
  }
}
