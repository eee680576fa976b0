import type { UserId } from "../../../protocol/identifiers.ts";
import { membershipCodes } from "../../memberships.ts";
import type { FoundUser, MutualRoom, UserDirectoryStore, UserSearch } from "../../user-directory.ts";
import type { Connection } from "../engine/connection.ts";
import { point, scan, type StoreOperations, write } from "../engine/operations.ts";
import { followRemoteUsers, shownRemoteProfile, wordsOf } from "./remote-users.ts";

const { join } = membershipCodes;

/**
 * ?1 is the full-text query, ?2 the searcher, ?3 the server's prefix, ?4 whether to search all, ?5 the limit. A short word
 * may be in every name, so that whatever is looked up for each match counts.
 */
const searchSql = `
  WITH matches AS MATERIALIZED (
    SELECT rowid AS user_nid, rank AS score FROM user_words WHERE user_words MATCH ?1
  ), neighbours AS MATERIALIZED (
    SELECT DISTINCT theirs.user_nid FROM memberships AS mine JOIN memberships AS theirs USING (room_nid)
    WHERE mine.user_nid = ?2 AND mine.membership = ${join} AND theirs.membership = ${join}
  ), found AS MATERIALIZED (
    SELECT user_nid, user_id, is_local, user_nid IN neighbours AS is_neighbour, score
    FROM matches JOIN users USING (user_nid) LEFT JOIN accounts USING (user_nid)
    WHERE (is_local = 0 OR (is_deactivated = 0 AND is_locked = 0)) AND user_nid <> ?2
      AND substr(user_id, instr(user_id, ':') + 1, length(?3)) = ?3
      AND (user_nid IN neighbours OR (?4 AND is_guest IS NOT 1) OR EXISTS (
        SELECT 1 FROM memberships AS theirs JOIN room_summaries USING (room_nid)
        WHERE theirs.user_nid = users.user_nid AND theirs.membership = ${join}
          AND (join_rule = 'public' OR history_visibility IS 'world_readable')
      ))
    ORDER BY is_neighbour DESC, score, user_nid LIMIT ?5
  )
  SELECT user_nid AS userNid, user_id AS userId, is_local AS isLocal,
    (SELECT value FROM profile_fields AS f WHERE f.user_nid = found.user_nid AND name = 'displayname') AS displayName,
    (SELECT value FROM profile_fields AS f WHERE f.user_nid = found.user_nid AND name = 'avatar_url') AS avatarUrl
  FROM found ORDER BY is_neighbour DESC, score, user_nid`;

const mutual = `FROM memberships AS mine JOIN memberships AS theirs USING (room_nid)
  WHERE mine.user_nid = ?1 AND mine.membership = ${join} AND theirs.user_nid = ?2 AND theirs.membership = ${join}`;
const mutualPageSql = `SELECT room_nid AS roomNid, (SELECT room_id FROM rooms WHERE rooms.room_nid = mine.room_nid) AS roomId
  ${mutual} AND mine.room_nid > ?3 ORDER BY mine.room_nid LIMIT ?4`;
const closedSql = `SELECT 1 ${mutual} AND EXISTS (
  SELECT 1 FROM room_summaries WHERE room_summaries.room_nid = mine.room_nid AND join_rule <> 'public') LIMIT 1`;
const mutualCountSql = `SELECT count(*) AS total ${mutual}`;

/** For writes of accounts and profiles: makes the words by which a user is found what they now are. */
export function indexUser(db: Connection, userNid: number): void {
  db.run("DELETE FROM user_words WHERE rowid = ?", userNid);
  const user = db.get<{ userId: UserId; displayName: string | null }>(
    `SELECT user_id AS userId,
       (SELECT value FROM profile_fields AS f WHERE f.user_nid = users.user_nid AND name = 'displayname') AS displayName
     FROM users JOIN accounts USING (user_nid) WHERE user_nid = ? AND is_deactivated = 0`,
    userNid,
  );
  if (!user) return;
  const words = wordsOf(user.userId, textOf(user.displayName));
  db.run("INSERT INTO user_words (rowid, words) VALUES (?, ?)", userNid, words);
}

/** Profile fields are stored as JSON. */
function textOf(json: string | null): string | null {
  const value: unknown = json === null ? null : JSON.parse(json);
  return typeof value === "string" ? value : null;
}

interface FoundRow extends FoundUser {
  readonly userNid: number;
  readonly userId: UserId;
  readonly isLocal: number;
}

function search(
  db: Connection,
  { userNid, phrases, serverPrefix, searchAll, limit }: UserSearch,
): FoundUser[] {
  const query = phrases.map((phrase) => `"${phrase.replaceAll('"', '""')}"*`).join(" AND ");
  return db
    .all<FoundRow>(searchSql, query, userNid, serverPrefix, Number(searchAll), limit)
    .flatMap((row) => {
      if (row.isLocal === 0) return remoteUser(db, row, userNid, phrases) ?? [];
      const { userId, displayName, avatarUrl } = row;
      return { userId, displayName: textOf(displayName), avatarUrl: textOf(avatarUrl) };
    });
}

/** `undefined` for one who was found by a name that they have in rooms which are hidden from the searcher. */
function remoteUser(
  db: Connection,
  { userNid, userId }: FoundRow,
  searcherNid: number,
  phrases: readonly string[],
): FoundUser | undefined {
  const profile = shownRemoteProfile(db, userNid, searcherNid);
  const words = ` ${wordsOf(userId, profile.displayName)}`;
  return phrases.every((phrase) => words.includes(` ${phrase}`)) ? { userId, ...profile } : undefined;
}

export const userDirectoryOperations: StoreOperations<UserDirectoryStore> = {
  search: scan(search),
  followRemote: write(followRemoteUsers),
  shareClosedRoom: point(
    (db, userNid: number, otherNid: number) => db.get(closedSql, userNid, otherNid) !== undefined,
  ),
  mutualRooms: point((db, userNid: number, otherNid: number, after: number, limit: number) => ({
    rooms: db.all<MutualRoom>(mutualPageSql, userNid, otherNid, after, limit),
    total: db.get<{ total: number }>(mutualCountSql, userNid, otherNid)?.total ?? 0,
  })),
};
