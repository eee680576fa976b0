import { rmSync } from "node:fs";
import { type Connection, openConnection } from "../engine/connection.ts";

/** Grows with each change of the schema or of how words are made: an older index is thrown away. */
const formatVersion = 5;
/** Pages of the write-ahead log that are copied into the file at a time. Nobody waits for it. */
const checkpointPages = 1_000;

/**
 * `messages` has a row for each message, room name and topic that can be found, by document ID (see `documents.ts`); it
 * holds no text. A row goes when its event is redacted, and those of a room when it becomes encrypted.
 */
const schema = `
CREATE VIRTUAL TABLE messages USING fts5 (
  words, event_nid UNINDEXED, content = '', contentless_delete = 1, contentless_unindexed = 1, tokenize = "ascii tokenchars './'"
);

-- How far each room has been indexed. A row a room.
CREATE TABLE rooms (
  room_nid INTEGER PRIMARY KEY,
  up_to INTEGER NOT NULL,
  -- Where the room's history began when what had been purged before it was last forgotten.
  purged_before INTEGER
);

-- Which event an edit has replaced, by positions: once the edit is redacted, nothing else tells. Goes with the edit.
CREATE TABLE edits (
  room_nid INTEGER NOT NULL,
  position INTEGER NOT NULL,
  original_position INTEGER NOT NULL,
  PRIMARY KEY (room_nid, position)
) WITHOUT ROWID;

-- Where events were missing when the room was indexed. A row goes once those have come and have been indexed.
CREATE TABLE gaps (
  room_nid INTEGER NOT NULL,
  -- Of the event after the gap.
  position INTEGER NOT NULL,
  PRIMARY KEY (room_nid, position)
) WITHOUT ROWID;

CREATE TABLE progress (
  id INTEGER PRIMARY KEY,
  -- All rooms have been indexed up to here.
  up_to INTEGER NOT NULL DEFAULT 0,
  -- Documents when the index was last in one piece, and those that have come since; see tidying.ts.
  tidied INTEGER NOT NULL DEFAULT 0,
  added INTEGER NOT NULL DEFAULT 0
);
INSERT INTO progress (id) VALUES (1);
`;

/** Opens the index for writing, and makes it when it is missing, damaged or of another format. */
export function openIndexForWriting(file: string, cacheKib: number): Connection {
  const db = tryOpen(file, cacheKib);
  if (db && Number(db.pragma("user_version")) === formatVersion) return db;
  db?.close();
  return makeIndex(file, cacheKib);
}

/** An empty index in place of whatever is there. */
function makeIndex(file: string, cacheKib: number): Connection {
  for (const suffix of ["", "-wal", "-shm"]) rmSync(file + suffix, { force: true });
  const db = tryOpen(file, cacheKib);
  if (!db) throw new Error("the search index cannot be made");
  db.execute(`BEGIN IMMEDIATE; ${schema}; PRAGMA user_version = ${formatVersion}; COMMIT`);
  return db;
}

/** Whether an index cannot be read because it is damaged. */
export function isCorrupt(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return code.startsWith("SQLITE_CORRUPT") || code === "SQLITE_NOTADB";
}

/** Has a damaged index made anew at the next start. */
export function condemn(db: Connection): void {
  db.pragma("user_version = 0");
}

/** `undefined` for a file that is no database, or a damaged one. */
function tryOpen(file: string, cacheKib: number): Connection | undefined {
  try {
    const db = openConnection(file, { readonly: false, cacheKib });
    // What is lost in a power cut is indexed again: nothing need reach the disk before the next checkpoint.
    db.pragma("synchronous = normal");
    db.pragma(`wal_autocheckpoint = ${checkpointPages}`);
    return db;
  } catch (error) {
    if (isCorrupt(error)) return undefined;
    throw error;
  }
}
