import type { SnapshotRow, StateStore } from "../../state.ts";
import { point, type StoreOperations } from "../engine/operations.ts";

export const stateOperations: StoreOperations<StateStore> = {
  snapshot: point((db, snapshotNid: number) =>
    db.get<SnapshotRow>(
      `SELECT snapshot_nid AS snapshotNid, parent_nid AS parentNid, height, delta
       FROM state_snapshots WHERE snapshot_nid = ?`,
      snapshotNid,
    ),
  ),
};
