import type { FilledGap, NewEvent } from "../../commits.ts";
import type { Connection } from "../engine/connection.ts";
import type { WriteTransaction } from "../engine/operations.ts";

/** Positions that are left free for the events of a gap: more than anybody will ever page through. */
export const gapSize = 2 ** 24;
/**
 * The same in a room that has many gaps: somebody may make them on purpose, and all positions of the server shall last.
 * A gap that has become full is closed.
 */
const smallGapSize = 2 ** 12;
const fewGaps = 100;
/** A room with more gaps than this gets no further ones: what is missing there stays missing. */
const maxGaps = 10_000;

/** How many positions are to be left free for a new gap. */
export function gapSizeIn(db: Connection, roomNid: number): number {
  return countGaps(db, roomNid, fewGaps) < fewGaps ? gapSize : smallGapSize;
}

function countGaps(db: Connection, roomNid: number, max: number): number {
  const sql = "SELECT count(*) AS count FROM (SELECT 1 FROM timeline_gaps WHERE room_nid = ? LIMIT ?)";
  return db.get<{ count: number }>(sql, roomNid, max)?.count ?? 0;
}

/** For those who bring an event into the timeline: remembers what is missing before it. */
export function noteGap(db: Connection, { roomNid, gapFollowers = [] }: NewEvent, position: number): void {
  if (gapFollowers.length === 0 || countGaps(db, roomNid, maxGaps) >= maxGaps) return;
  for (const eventNid of gapFollowers) insertGap(db, roomNid, position, eventNid);
}

function insertGap(db: Connection, roomNid: number, position: number, eventNid: number): void {
  db.run(
    "INSERT INTO timeline_gaps (room_nid, position, event_nid) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
    roomNid,
    position,
    eventNid,
  );
}

/** Part of the transaction that fills a gap. Those who keep the timeline in memory are told that it has grown in the middle. */
export function moveGap(tx: WriteTransaction, roomNid: number, { position, left }: FilledGap): void {
  tx.position("timeline", roomNid, { isHistory: true });
  tx.db.run("DELETE FROM timeline_gaps WHERE room_nid = ? AND position = ?", roomNid, position);
  for (const gap of left) {
    for (const eventNid of gap.followers) insertGap(tx.db, roomNid, gap.position, eventNid);
  }
}
