import { gapSize } from "../stores/timeline-gaps.ts";
import type { IndexedDatabase } from "./indexing.ts";

/**
 * Events that were missing from timelines when these were indexed may come later, into the room that was left for them.
 * The index remembers where it has passed a gap: one that has moved or closed since has brought events.
 */

/** Positions of a room that have events which came after the index had passed: those above one and below the other. */
export interface FilledRange {
  readonly after: number;
  readonly before: number;
}

/** ?1 is the room, or NULL for all. */
const filledSql = `SELECT room_nid AS roomNid, position FROM gaps
  WHERE room_nid = coalesce(?1, room_nid) ORDER BY position DESC`;
const openSql = "SELECT 1 FROM timeline_gaps WHERE room_nid = ? AND position = ?";

/** The newest range of a room that has been filled, as far as it has not been indexed. */
export function filledRange({ main, index }: IndexedDatabase, roomNid: number): FilledRange | undefined {
  const gaps = index.all<{ position: number }>(filledSql, roomNid);
  const filled = gaps.find(({ position }) => !main.get(openSql, roomNid, position));
  return filled && { after: filled.position - gapSize, before: filled.position };
}

/** A filled range has been indexed down to a position; without one, all of it has. */
export function rangeIndexed(
  { index }: IndexedDatabase,
  roomNid: number,
  { before }: FilledRange,
  downTo: number | undefined,
): void {
  index.run("DELETE FROM gaps WHERE room_nid = ? AND position = ?", roomNid, before);
  if (downTo !== undefined) {
    index.run("INSERT OR IGNORE INTO gaps (room_nid, position) VALUES (?, ?)", roomNid, downTo);
  }
}

/** To be called when a room's newest events are indexed. */
export function rememberGaps({ main, index }: IndexedDatabase, roomNid: number): void {
  const gaps = main.all<{ position: number }>(
    "SELECT DISTINCT position FROM timeline_gaps WHERE room_nid = ?",
    roomNid,
  );
  for (const { position } of gaps) {
    index.run("INSERT OR IGNORE INTO gaps (room_nid, position) VALUES (?, ?)", roomNid, position);
  }
}

/** Rooms of which gaps have been filled and not indexed. */
export function roomsWithFilledGaps({ main, index }: IndexedDatabase): number[] {
  const gaps = index.all<{ roomNid: number; position: number }>(filledSql, null);
  const filled = gaps.filter(({ roomNid, position }) => !main.get(openSql, roomNid, position));
  return [...new Set(filled.map(({ roomNid }) => roomNid))];
}
