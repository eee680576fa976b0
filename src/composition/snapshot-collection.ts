import { SnapshotCollector } from "../ingest/snapshot-collector.ts";
import type { Foundation } from "./foundation.ts";

/** Takes states of rooms away that nothing refers to any more. */
export function composeSnapshotCollection({ stores, graph, clock, log }: Foundation): AsyncDisposable {
  const { snapshots, whileIdle } = graph;
  const collector = new SnapshotCollector({
    store: stores.snapshotCollection,
    snapshots,
    whileIdle,
    clock,
    log,
  });
  collector.begin();
  return collector;
}
