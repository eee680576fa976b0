import type { IndexedDatabase } from "./indexing.ts";

/** Pages that are merged in one step: some tens of milliseconds. */
const pagesAtOnce = 500;
/** An index that has grown by this part since it was in one piece is worth the writing ... */
const worthwhilePart = 0.25;
/** ... once it has this many new documents. */
const minAdded = 5_000;

/**
 * FTS5 keeps an index in pieces, and each search looks up its words in all of them. Merging them all takes every search to a
 * fraction of the time; it is done when so much has come that each document is written only a few times over the years.
 * See `SearchIndex.tidy`.
 */
export function tidy({ index }: IndexedDatabase): boolean {
  const progress = index.get<{ tidied: number; added: number }>("SELECT tidied, added FROM progress");
  const { tidied = 0, added = 0 } = progress ?? {};
  if (added < minAdded || added < tidied * worthwhilePart) return true;
  const before = changes(index);
  index.run("INSERT INTO messages (messages, rank) VALUES ('merge', ?)", BigInt(-pagesAtOnce));
  // "If the difference is less than 2, then the 'merge' command was a no-op" (SQLite, FTS5).
  if (changes(index) - before >= 2) return false;
  index.run("UPDATE progress SET tidied = tidied + added, added = 0");
  return true;
}

function changes(index: IndexedDatabase["index"]): number {
  return index.get<{ total: number }>("SELECT total_changes() AS total")?.total ?? 0;
}
