import type { IndexProgress } from "../../search-index.ts";
import { roomsWithFilledGaps } from "./gaps.ts";
import type { IndexedDatabase } from "./indexing.ts";

const emptySql = `INSERT INTO messages (messages) VALUES ('delete-all'); DELETE FROM rooms; DELETE FROM edits; DELETE FROM gaps;
  UPDATE progress SET up_to = 0, tidied = 0, added = 0`;

/** See `SearchIndex.begin`. */
export function begin(dbs: IndexedDatabase, position: number): IndexProgress {
  const { index } = dbs;
  const known = index.get<{ upTo: number }>(
    `SELECT max(coalesce((SELECT max(up_to) FROM rooms), 0), (SELECT up_to FROM progress)) AS upTo`,
  );
  // The database has been put back to an earlier state, from a backup for one: the index is of events that never were.
  if ((known?.upTo ?? 0) > position) index.execute(`BEGIN; ${emptySql}; COMMIT`);
  const upTo = index.get<{ upTo: number }>("SELECT up_to AS upTo FROM progress")?.upTo ?? 0;
  return { upTo, unfinished: roomsWithFilledGaps(dbs) };
}

/** See `SearchIndex.reached`. */
export function reached({ index }: IndexedDatabase, position: number): void {
  index.run("UPDATE progress SET up_to = ?", position);
}
