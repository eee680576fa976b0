import { LRUCache } from "lru-cache";
import { PassingMap } from "../cache/passing-map.ts";
import type { SnapshotRow, StateStore } from "../storage/state.ts";
import { differenceOf, encodeDelta, type StateDelta } from "./delta.ts";
import { entryIn, PackedDelta } from "./packed-delta.ts";

/** Pair of type and state key to event, all as integer IDs. */
export type StateMap = ReadonlyMap<number, number>;

interface Snapshot {
  readonly parentNid: number | null;
  readonly height: number;
  readonly delta: PackedDelta;
}

/** Fan-out of the skips between snapshots; see {@link StateSnapshots.derive}. */
const base = 16;
/** Bounds memory: a map costs about 40 bytes an entry. */
const cachedMapEntries = 400_000;
/** The same of deltas: 16 bytes an entry. */
const cachedDeltaEntries = 500_000;

/**
 * Room states as persistent maps. A snapshot is stored as the entries in which it differs from an ancestor. In a line of
 * snapshots the ancestor of number n is n with its lowest non-zero digit (base 16) lowered by one: a change is stored
 * about log16(n) times, and any snapshot is read in at most 15 log16(n) steps.
 */
export class StateSnapshots {
  readonly #store: Pick<StateStore, "snapshot">;
  readonly #nextNid: () => number;
  readonly #snapshots = new LRUCache<number, Snapshot>({
    maxSize: cachedDeltaEntries,
    sizeCalculation: ({ delta }) => delta.cacheSize,
  });
  /** Made and not stored yet: storage cannot give these back. Bounded by the writes that may wait. */
  readonly #unsettled = new PassingMap<number, Snapshot>();
  readonly #maps = new LRUCache<number, StateMap>({
    maxSize: cachedMapEntries,
    sizeCalculation: (map) => map.size + 1,
  });
  #lost: ((snapshotNids: readonly number[]) => void) | undefined;

  constructor(store: Pick<StateStore, "snapshot">, nextNid: () => number) {
    this.#store = store;
    this.#nextNid = nextNid;
  }

  /** Has somebody told of snapshots that are not to be referred to: they could not be stored, or may be taken away. */
  followLosses(listener: (snapshotNids: readonly number[]) => void): void {
    this.#lost = listener;
  }

  /** The event of one pair in a snapshot. */
  async get(snapshotNid: number, pairNid: number): Promise<number | undefined> {
    let nid: number | null = snapshotNid;
    while (nid !== null) {
      const map = this.#maps.get(nid);
      if (map) return map.get(pairNid);
      const snapshot: Snapshot = this.#known(nid) ?? (await this.#load(nid));
      const entry = snapshot.delta.entry(pairNid);
      if (entry) return entry.event;
      nid = snapshot.parentNid;
    }
    return undefined;
  }

  /** A whole state. The map is shared: it must not be changed. */
  async map(snapshotNid: number): Promise<StateMap> {
    const known = this.#maps.get(snapshotNid);
    if (known) return known;
    const deltas: PackedDelta[] = [];
    let nid: number | null = snapshotNid;
    let start: StateMap | undefined;
    while (nid !== null && !start) {
      const snapshot: Snapshot = await this.#load(nid);
      deltas.push(snapshot.delta);
      nid = snapshot.parentNid;
      if (nid !== null) start = this.#maps.get(nid);
    }
    const map = new Map(start);
    for (const delta of deltas.toReversed()) applyDelta(map, delta);
    this.#maps.set(snapshotNid, map);
    return map;
  }

  /** What has to change in `earlier` to make it `later`; the event of a pair that goes is `undefined`. */
  async difference(earlier: number, later: number): Promise<StateDelta> {
    if (earlier === later) return new Map();
    const earlierLine = await this.#line(earlier);
    const laterLine = await this.#line(later);
    const common = new Set(earlierLine).intersection(new Set(laterLine)).values().next().value;
    if (!common) return differenceOf(await this.map(earlier), await this.map(later));
    const changes = new Map<number, number | undefined>();
    const [earlierDeltas, laterDeltas] = [earlierLine.map(deltaOf), laterLine.map(deltaOf)];
    for (const { delta } of [...untilCommon(earlierLine, common), ...untilCommon(laterLine, common)]) {
      for (const pair of delta.pairs()) {
        const event = entryIn(laterDeltas, pair)?.event;
        if (event !== entryIn(earlierDeltas, pair)?.event) changes.set(pair, event);
      }
    }
    return changes;
  }

  /** A new first snapshot of a line. The row is the caller's to store. */
  first(state: StateMap): SnapshotRow {
    return this.#make(null, 0, new Map(state));
  }

  /** A new snapshot: a state with some of its entries set; these alone where there is no state yet. */
  async with(previous: number | null, entries: StateMap): Promise<SnapshotRow> {
    return previous === null ? this.first(entries) : this.derive(previous, entries);
  }

  /**
   * The snapshot of a state, stored as what is different in one that is much alike.
   * @returns its ID, and its row unless that one is it
   */
  async of(
    state: StateMap,
    similar: number | null,
  ): Promise<{ readonly snapshotNid: number; readonly row?: SnapshotRow }> {
    const changes = similar === null ? undefined : differenceOf(await this.map(similar), state);
    if (similar !== null && changes?.size === 0) return { snapshotNid: similar };
    const row = similar === null || !changes ? this.first(state) : await this.derive(similar, changes);
    return { snapshotNid: row.snapshotNid, row };
  }

  /** A new snapshot: `previous` with changes. The row is the caller's to store, in the commit that refers to it. */
  async derive(previous: number, changes: StateDelta): Promise<SnapshotRow> {
    const snapshot = await this.#load(previous);
    const height = snapshot.height + 1;
    const steps: Pick<PackedDelta, "entries">[] = [changes];
    let ancestorNid = previous;
    let ancestor = snapshot;
    while (ancestor.height > ancestorHeight(height) && ancestor.parentNid !== null) {
      steps.push(ancestor.delta);
      ancestorNid = ancestor.parentNid;
      ancestor = await this.#load(ancestorNid);
    }
    const delta = new Map<number, number | undefined>();
    for (const step of steps.toReversed()) for (const [pair, event] of step.entries()) delta.set(pair, event);
    return this.#make(ancestorNid, height, delta);
  }

  /** To be told when the rows that `first` and `derive` made have been stored, or could not be. */
  settled(rows: readonly SnapshotRow[], stored: boolean): void {
    for (const { snapshotNid } of rows) {
      const snapshot = this.#unsettled.get(snapshotNid);
      this.#unsettled.delete(snapshotNid);
      if (!stored) this.#maps.delete(snapshotNid);
      else if (snapshot) this.#snapshots.set(snapshotNid, snapshot);
    }
    if (!stored && rows.length > 0) this.#lost?.(rows.map(({ snapshotNid }) => snapshotNid));
  }

  /** To be told of stored snapshots that may be taken away: no new event may come to refer to one because it is remembered. */
  discount(snapshotNids: readonly number[]): void {
    this.#lost?.(snapshotNids);
  }

  #make(parentNid: number | null, height: number, delta: StateDelta): SnapshotRow {
    const snapshotNid = this.#nextNid();
    const bytes = encodeDelta(delta);
    this.#unsettled.set(snapshotNid, { parentNid, height, delta: PackedDelta.decode(bytes) });
    return { snapshotNid, parentNid, height, delta: bytes };
  }

  /** A snapshot and its ancestors, itself first. */
  async #line(snapshotNid: number): Promise<Snapshot[]> {
    const line: Snapshot[] = [];
    let nid: number | null = snapshotNid;
    while (nid !== null) {
      const snapshot: Snapshot = await this.#load(nid);
      line.push(snapshot);
      nid = snapshot.parentNid;
    }
    return line;
  }

  #known(snapshotNid: number): Snapshot | undefined {
    return this.#unsettled.get(snapshotNid) ?? this.#snapshots.get(snapshotNid);
  }

  async #load(snapshotNid: number): Promise<Snapshot> {
    const known = this.#known(snapshotNid);
    if (known) return known;
    const row = await this.#store.snapshot(snapshotNid);
    if (!row) throw new Error(`state snapshot ${snapshotNid} is missing`);
    const snapshot = { parentNid: row.parentNid, height: row.height, delta: PackedDelta.decode(row.delta) };
    this.#snapshots.set(snapshotNid, snapshot);
    return snapshot;
  }
}

/** `height` with its lowest non-zero digit lowered by one. */
export function ancestorHeight(height: number): number {
  let unit = 1;
  while (height % (unit * base) === 0) unit *= base;
  return height - unit;
}

function deltaOf({ delta }: Snapshot): PackedDelta {
  return delta;
}

function untilCommon(line: readonly Snapshot[], common: Snapshot): readonly Snapshot[] {
  return line.slice(0, line.indexOf(common));
}

function applyDelta(map: Map<number, number>, delta: PackedDelta): void {
  for (const [pair, event] of delta.entries()) {
    if (event === undefined) map.delete(pair);
    else map.set(pair, event);
  }
}
