import type { RoomToIndex } from "../../search-index.ts";
import { maxWordsOfMessage } from "../../search-terms.ts";
import { messageWords } from "../../message-words.ts";
import type { Connection } from "../engine/connection.ts";
import { filledRange, rangeIndexed, rememberGaps } from "./gaps.ts";
import { documentIdSql, documentText, everyDocument, firstPosition, positionSql } from "./documents.ts";
import {
  editedId,
  messageAt,
  messageById,
  type MessageRow,
  redactedId,
  searchedText,
} from "./message-rows.ts";

/** The events themselves, and their index. */
export interface IndexedDatabase {
  readonly main: Connection;
  readonly index: Connection;
}

/** Documents by position; one without text is to go. */
type Documents = Map<number, { readonly eventNid: number; readonly text: string | undefined }>;

type EventRow = Pick<MessageRow, "position"> & { readonly isSearched: number };

/** What is neither searched nor changes what is searched is passed over without being read. */
const outlineSql = `SELECT position, type_nid IN (SELECT type_nid FROM event_types
    WHERE type IN ('m.room.message', 'm.room.name', 'm.room.topic', 'm.room.redaction')) AS isSearched
  FROM events`;
const stretchSql = `${outlineSql} WHERE room_nid = ? AND position > ? AND position <= ? ORDER BY position LIMIT ?`;
const filledSql = `${outlineSql} WHERE room_nid = ? AND position > ? AND position < ? ORDER BY position DESC LIMIT ?`;
const unsearchedSql = `SELECT 1 FROM room_summaries WHERE room_nid = ?1 AND encryption IS NOT NULL
  UNION ALL SELECT 1 FROM rooms WHERE room_nid = ?1 AND is_removed = 1`;
const upToSql = "SELECT up_to AS upTo FROM rooms WHERE room_nid = ?";
const setUpToSql = `INSERT INTO rooms (room_nid, up_to) VALUES (?, ?)
  ON CONFLICT DO UPDATE SET up_to = excluded.up_to`;
const removeSql = `DELETE FROM messages WHERE rowid = ${documentIdSql("?1")}`;
const insertSql = `INSERT INTO messages (rowid, words, event_nid) VALUES (${documentIdSql("?1")}, ?2, ?3)`;
const ofRoomSql = `SELECT ${positionSql} AS position FROM messages WHERE messages MATCH ? LIMIT ?`;

const purgedBeforeSql = "SELECT purged_before AS position FROM rooms WHERE room_nid = ?";
const purgedSql = `SELECT ${positionSql} AS position FROM messages
  WHERE messages MATCH ? AND rowid > ${documentIdSql("?")} LIMIT ?`;
const setPurgedBeforeSql = `INSERT INTO rooms (room_nid, up_to, purged_before) VALUES (?, ?, ?)
  ON CONFLICT DO UPDATE SET purged_before = excluded.purged_before`;

/** One chunk of work, in one transaction; see `SearchIndex.indexRooms`. */
export function indexRooms(dbs: IndexedDatabase, rooms: readonly RoomToIndex[], limit: number): number[] {
  const { index, main } = dbs;
  const done: number[] = [];
  let left = limit;
  // What is read belongs together: an edit is not there without what it edits.
  main.run("BEGIN");
  index.run("BEGIN IMMEDIATE");
  try {
    const documents: Documents = new Map();
    for (const room of rooms) {
      if (left <= 0) break;
      const taken = indexRoom(dbs, room, left, documents);
      if (taken.isDone) done.push(room.roomNid);
      left -= taken.events;
    }
    store(index, documents);
    index.run("COMMIT");
    return done;
  } catch (error) {
    if (index.inTransaction) index.run("ROLLBACK");
    throw error;
  } finally {
    main.run("COMMIT");
  }
}

function indexRoom(
  dbs: IndexedDatabase,
  { roomNid, upTo }: RoomToIndex,
  limit: number,
  documents: Documents,
): { readonly events: number; readonly isDone: boolean } {
  const { main, index } = dbs;
  if (main.get(unsearchedSql, roomNid)) return forgetRoom(index, { roomNid, upTo }, limit);
  const forgotten = forgetPurged(dbs, roomNid, limit);
  if (forgotten > 0) return { events: forgotten, isDone: false };
  const filled = filledRange(dbs, roomNid);
  if (filled) {
    const rows = main.all<EventRow>(filledSql, roomNid, filled.after, filled.before, limit);
    indexEvents(dbs, roomNid, rows, documents);
    rangeIndexed(dbs, roomNid, filled, rows.length < limit ? undefined : rows.at(-1)?.position);
    // There may be further ones, and what is new is still to come.
    return { events: rows.length, isDone: false };
  }
  const from = index.get<{ upTo: number }>(upToSql, roomNid)?.upTo ?? firstPosition;
  const rows = main.all<EventRow>(stretchSql, roomNid, from, upTo, limit);
  indexEvents(dbs, roomNid, rows, documents);
  rememberGaps(dbs, roomNid);
  const isDone = rows.length < limit;
  index.run(setUpToSql, roomNid, isDone ? upTo : (rows.at(-1)?.position ?? upTo));
  return { events: rows.length, isDone };
}

function indexEvents(
  dbs: IndexedDatabase,
  roomNid: number,
  rows: readonly EventRow[],
  documents: Documents,
): void {
  for (const { isSearched, position } of rows) {
    const row = isSearched === 1 ? messageAt(dbs.main, roomNid, position) : undefined;
    if (row) indexEvent(dbs, row, documents);
  }
}

function indexEvent(dbs: IndexedDatabase, row: MessageRow, documents: Documents): void {
  const redacted = redactedId(row);
  if (redacted !== undefined) {
    const target = messageById(dbs.main, redacted);
    if (target?.roomNid === row.roomNid && target.redactedBy !== null) forgetRedacted(dbs, target, documents);
    return;
  }
  const edited = editedId(row);
  const original = edited === undefined ? undefined : messageById(dbs.main, edited);
  if (original?.roomNid === row.roomNid && original.senderNid === row.senderNid) {
    dbs.index.run(
      "INSERT OR REPLACE INTO edits (room_nid, position, original_position) VALUES (?, ?, ?)",
      row.roomNid,
      row.position,
      original.position,
    );
    add(dbs, original, documents);
  }
  add(dbs, row, documents);
}

/** What an event has become by a redaction; when it was an edit, what it had replaced is found again. */
function forgetRedacted(dbs: IndexedDatabase, target: MessageRow, documents: Documents): void {
  add(dbs, target, documents);
  const edit = dbs.index.get<{ position: number }>(
    "SELECT original_position AS position FROM edits WHERE room_nid = ? AND position = ?",
    target.roomNid,
    target.position,
  );
  if (!edit) return;
  dbs.index.run("DELETE FROM edits WHERE room_nid = ? AND position = ?", target.roomNid, target.position);
  const original = messageAt(dbs.main, target.roomNid, edit.position);
  if (original) add(dbs, original, documents);
}

function add({ main }: IndexedDatabase, row: MessageRow, documents: Documents): void {
  const { eventNid, roomNid, position, senderNid } = row;
  const searched = searchedText(main, row);
  const words = searched ? messageWords(searched.text, maxWordsOfMessage) : [];
  const text =
    searched && words.length > 0
      ? documentText(roomNid, words, { key: searched.key, senderNid, hasUrl: searched.hasUrl })
      : undefined;
  documents.set(position, { eventNid, text });
}

/** In order of document IDs: FTS5 begins a new piece of the index whenever they go down. */
function store(index: Connection, documents: Documents): void {
  const ordered = [...documents].sort(([a], [b]) => b - a);
  for (const [position] of ordered) index.run(removeSql, position);
  for (const [position, { eventNid, text }] of ordered) {
    if (text !== undefined) index.run(insertSql, position, text, eventNid);
  }
  index.run("UPDATE progress SET added = added + ?", ordered.length);
}

/** "The search will *not* include rooms that are end to end encrypted"; nor those that are being removed. */
function forgetRoom(
  index: Connection,
  { roomNid, upTo }: RoomToIndex,
  limit: number,
): { readonly events: number; readonly isDone: boolean } {
  const documents = index.all<{ position: number }>(ofRoomSql, everyDocument(roomNid), limit);
  for (const { position } of documents) index.run(removeSql, position);
  index.run("DELETE FROM edits WHERE room_nid = ?", roomNid);
  index.run(setUpToSql, roomNid, upTo);
  return { events: documents.length, isDone: documents.length < limit };
}

/** @returns how many messages of the room's purged history were left to forget, `limit` at most */
function forgetPurged({ main, index }: IndexedDatabase, roomNid: number, limit: number): number {
  const purgedBefore = main.get<{ position: number | null }>(purgedBeforeSql, roomNid)?.position ?? null;
  if (purgedBefore === null) return 0;
  const forgottenBefore = index.get<{ position: number | null }>(purgedBeforeSql, roomNid)?.position ?? null;
  if (forgottenBefore === purgedBefore) return 0;
  const documents = index.all<{ position: number }>(purgedSql, everyDocument(roomNid), purgedBefore, limit);
  for (const { position } of documents) index.run(removeSql, position);
  if (documents.length < limit) {
    index.run("DELETE FROM edits WHERE room_nid = ? AND original_position < ?", roomNid, purgedBefore);
    index.run(setPurgedBeforeSql, roomNid, firstPosition, purgedBefore);
  }
  return documents.length;
}
