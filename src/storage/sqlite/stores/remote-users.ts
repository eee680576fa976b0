import { localpart, type UserId } from "../../../protocol/identifiers.ts";
import { isJsonObject, type JsonObject } from "../../../protocol/json.ts";
import { parseMxcUri } from "../../../protocol/mxc-uri.ts";
import { membershipCodes } from "../../memberships.ts";
import { searchWords } from "../../search-text.ts";
import type { Connection } from "../engine/connection.ts";
import type { WriteTransaction } from "../engine/operations.ts";

const { join } = membershipCodes;
/** Longer names are found by how they begin. */
const maxNameLength = 256;

const nextMembersSql = `SELECT user_nid AS userNid, is_local AS isLocal, position
  FROM memberships INDEXED BY memberships_position WHERE position > ? ORDER BY position LIMIT ?`;
const newestMemberSql = `SELECT common FROM memberships CROSS JOIN events USING (event_nid)
  WHERE user_nid = ? AND membership = ${join} ORDER BY memberships.position DESC LIMIT 1`;
// ?1 is the user, ?2 who looks.
const shownMemberSql = `SELECT common FROM memberships AS theirs CROSS JOIN events USING (event_nid)
  WHERE theirs.user_nid = ?1 AND theirs.membership = ${join} AND (
    EXISTS (SELECT 1 FROM memberships AS mine WHERE mine.room_nid = theirs.room_nid AND mine.user_nid = ?2
      AND mine.membership = ${join})
    OR EXISTS (SELECT 1 FROM room_summaries WHERE room_summaries.room_nid = theirs.room_nid
      AND (join_rule = 'public' OR history_visibility IS 'world_readable')))
  ORDER BY theirs.position DESC LIMIT 1`;

/** What a user's member event says of them. */
export interface RemoteProfile {
  readonly displayName: string | null;
  readonly avatarUrl: string | null;
}

interface ChangedMember {
  readonly userNid: number;
  readonly isLocal: number;
  readonly position: number;
}

/** Takes up what has become of users of other servers. @returns whether there is more */
export function followRemoteUsers({ db }: WriteTransaction, limit: number): boolean {
  const { upTo = 0 } =
    db.get<{ upTo: number }>("SELECT members_up_to AS upTo FROM user_directory_progress") ?? {};
  const members = db.all<ChangedMember>(nextMembersSql, upTo, limit);
  const remote = new Set(members.filter(({ isLocal }) => isLocal === 0).map(({ userNid }) => userNid));
  for (const userNid of remote) indexRemoteUser(db, userNid);
  const hasMore = members.length === limit;
  const reached = members.at(-1)?.position;
  // Users of this server may be looked at twice, which costs less than writing how far this has come.
  if (reached !== undefined && (hasMore || remote.size > 0)) {
    db.run(
      `INSERT INTO user_directory_progress (only_row, members_up_to) VALUES (1, ?1)
       ON CONFLICT DO UPDATE SET members_up_to = ?1`,
      reached,
    );
  }
  return hasMore;
}

/** Part of the transactions that tell of members at positions which have been followed already. */
export function followRemoteUsersAgain(db: Connection, after: number): void {
  db.run("UPDATE user_directory_progress SET members_up_to = ?1 WHERE members_up_to > ?1", after - 1);
}

/** What a searcher may see of a user of another server: what rooms say that they share or that are open to everybody. */
export function shownRemoteProfile(db: Connection, userNid: number, searcherNid: number): RemoteProfile {
  return profileIn(db.get<{ common: string }>(shownMemberSql, userNid, searcherNid)?.common);
}

/** The words by which a user is found. */
export function wordsOf(userId: UserId, displayName: string | null): string {
  return [...searchWords(localpart(userId)), ...searchWords(displayName ?? "")].join(" ");
}

function indexRemoteUser(db: Connection, userNid: number): void {
  const before = db.get<{ name: string | null }>(
    "SELECT display_name AS name FROM remote_users WHERE user_nid = ?",
    userNid,
  );
  const member = db.get<{ common: string }>(newestMemberSql, userNid);
  if (!member) {
    if (before) db.run("DELETE FROM remote_users WHERE user_nid = ?", userNid);
    if (before) db.run("DELETE FROM user_words WHERE rowid = ?", userNid);
    return;
  }
  const { displayName } = profileIn(member.common);
  if (before && before.name === displayName) return;
  const user = db.get<{ userId: UserId }>("SELECT user_id AS userId FROM users WHERE user_nid = ?", userNid);
  if (!user) return;
  db.run("INSERT OR REPLACE INTO remote_users (user_nid, display_name) VALUES (?, ?)", userNid, displayName);
  db.run("DELETE FROM user_words WHERE rowid = ?", userNid);
  db.run("INSERT INTO user_words (rowid, words) VALUES (?, ?)", userNid, wordsOf(user.userId, displayName));
}

function profileIn(common: string | undefined): RemoteProfile {
  const event = JSON.parse(`{${common ?? ""}}`) as JsonObject;
  const { displayname: name, avatar_url: avatar } = isJsonObject(event["content"]) ? event["content"] : {};
  return {
    displayName: typeof name === "string" ? name.slice(0, maxNameLength) : null,
    avatarUrl: typeof avatar === "string" && parseMxcUri(avatar) ? avatar : null,
  };
}
