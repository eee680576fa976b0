import type { Connection } from "../engine/connection.ts";

/** What has been taken away: the highest integer ID of each sort. */
export interface RemovedNids {
  readonly roomNid?: number;
  readonly eventNid?: number;
  readonly snapshotNid?: number;
}

/** Integer IDs are never given again: copies in memory and queues may still name what has gone. */
export function keepNidsApart(
  db: Connection,
  { roomNid = 0, eventNid = 0, snapshotNid = 0 }: RemovedNids,
): void {
  db.run(
    `UPDATE removed_nids SET room_nid = max(room_nid, ?), event_nid = max(event_nid, ?),
       snapshot_nid = max(snapshot_nid, ?) WHERE id = 1`,
    roomNid,
    eventNid,
    snapshotNid,
  );
}
