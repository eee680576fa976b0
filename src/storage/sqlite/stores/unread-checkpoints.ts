import { membershipCodes } from "../../memberships.ts";
import type { ThreadCount, UnreadCheckpoint, UnreadCheckpointStore } from "../../unread-checkpoints.ts";
import { point, type StoreOperations, write } from "../engine/operations.ts";

const ofUserSql = `SELECT room_nid AS roomNid, counted_up_to AS countedUpTo, threads FROM unread_checkpoints
  WHERE user_nid = ? AND room_nid IN (SELECT value FROM json_each(?))`;
const saveSql = `INSERT INTO unread_checkpoints (user_nid, room_nid, counted_up_to, threads)
  SELECT ?1, ?2, ?3, ?4 WHERE EXISTS (
    SELECT 1 FROM memberships WHERE room_nid = ?2 AND user_nid = ?1 AND membership = ${membershipCodes.join})
  ON CONFLICT DO UPDATE SET counted_up_to = excluded.counted_up_to, threads = excluded.threads`;

interface StoredCheckpoint {
  readonly roomNid: number;
  readonly countedUpTo: number;
  readonly threads: string;
}

type StoredThread = readonly [
  thread: string,
  notifications: number,
  highlights: number,
  first: number,
  last: number,
];

function parseThreads(text: string): ReadonlyMap<string, ThreadCount> {
  const stored = JSON.parse(text) as readonly StoredThread[];
  return new Map(
    stored.map(([thread, notifications, highlights, first, last]) => [
      thread,
      { notifications, highlights, first, last },
    ]),
  );
}

function threadsText(threads: ReadonlyMap<string, ThreadCount>): string {
  const stored: StoredThread[] = [...threads].map(([thread, count]) => [
    thread,
    count.notifications,
    count.highlights,
    count.first,
    count.last,
  ]);
  return JSON.stringify(stored);
}

export const unreadCheckpointOperations: StoreOperations<UnreadCheckpointStore> = {
  ofUser: point((db, userNid: number, roomNids: readonly number[]) =>
    db
      .all<StoredCheckpoint>(ofUserSql, userNid, JSON.stringify(roomNids))
      .map((row) => ({ ...row, userNid, threads: parseThreads(row.threads) })),
  ),
  save: write(({ db }, checkpoints: readonly UnreadCheckpoint[]) => {
    for (const { userNid, roomNid, countedUpTo, threads } of checkpoints) {
      db.run(saveSql, userNid, roomNid, countedUpTo, threadsText(threads));
    }
  }),
};
