import {
  type JoinedRoomRow,
  type MemberCounts,
  type Membership,
  type MembershipLogRow,
  type MembershipRow,
  type MembershipStore,
  membershipCodes,
  membershipOfCode,
} from "../../memberships.ts";
import { point, scan, type StoreOperations, write } from "../engine/operations.ts";

interface StoredMembership {
  readonly roomNid: number;
  readonly userNid: number;
  readonly code: number;
  readonly eventNid: number;
  readonly position: number;
  readonly forgotten: number;
}

interface StoredChange {
  readonly position: number;
  readonly roomNid: number;
  readonly code: number;
  readonly eventNid: number;
}

const columns = `room_nid AS roomNid, user_nid AS userNid, membership AS code, event_nid AS eventNid, position, forgotten`;
const logColumns = `position, room_nid AS roomNid, membership AS code, event_nid AS eventNid`;

function toMembership({ code, forgotten, ...row }: StoredMembership): MembershipRow {
  return { ...row, membership: membershipOfCode(code), forgotten: forgotten === 1 };
}

function toChange({ code, ...row }: StoredChange): MembershipLogRow {
  return { ...row, membership: membershipOfCode(code) };
}

function codesOf(memberships: readonly Membership[]): string {
  return JSON.stringify(memberships.map((membership) => membershipCodes[membership]));
}

const joinedFromSql = `SELECT 1 FROM memberships JOIN users USING (user_nid)
  WHERE room_nid = ? AND membership = ${membershipCodes.join} AND substr(user_id, instr(user_id, ':') + 1) = ? LIMIT 1`;

const joinedAmongSql = `SELECT room_nid AS roomNid, event_nid AS eventNid, (
    SELECT max(position) FROM membership_log AS log
    WHERE log.user_nid = memberships.user_nid AND log.room_nid = memberships.room_nid) AS joinedAt
  FROM json_each(?) AS wanted CROSS JOIN memberships
  WHERE room_nid = wanted.value AND user_nid = ? AND membership = ${membershipCodes.join}`;

export const membershipOperations: StoreOperations<MembershipStore> = {
  of: point((db, roomNid: number, userNid: number) => {
    const row = db.get<StoredMembership>(
      `SELECT ${columns} FROM memberships WHERE room_nid = ? AND user_nid = ?`,
      roomNid,
      userNid,
    );
    return row && toMembership(row);
  }),
  roomsOf: point((db, userNid: number, memberships: readonly Membership[]) =>
    db
      .all<StoredMembership>(
        `SELECT ${columns} FROM memberships
         WHERE user_nid = ? AND membership IN (SELECT value FROM json_each(?)) AND forgotten = 0`,
        userNid,
        codesOf(memberships),
      )
      .map(toMembership),
  ),
  joinedRoomNids: point((db, userNid: number) =>
    db
      .all<{ nid: number }>(
        "SELECT room_nid AS nid FROM memberships WHERE user_nid = ? AND membership = ?",
        userNid,
        membershipCodes.join,
      )
      .map((row) => row.nid),
  ),
  membersOf: scan((db, roomNid: number, memberships: readonly Membership[], limit: number) =>
    db
      .all<StoredMembership>(
        `SELECT ${columns} FROM memberships
         WHERE room_nid = ? AND membership IN (SELECT value FROM json_each(?)) LIMIT ?`,
        roomNid,
        codesOf(memberships),
        limit,
      )
      .map(toMembership),
  ),
  joinedUserIds: scan((db, roomNid: number, limit: number) =>
    db
      .all<{ userId: string }>(
        `SELECT user_id AS userId FROM memberships CROSS JOIN users USING (user_nid)
         WHERE room_nid = ? AND membership = ${membershipCodes.join} LIMIT ?`,
        roomNid,
        limit,
      )
      .map(({ userId }) => userId),
  ),
  oldestMembers: scan((db, roomNid: number, memberships: readonly Membership[], limit: number) =>
    db
      .all<{ nid: number }>(
        `SELECT user_nid AS nid FROM memberships
         WHERE room_nid = ? AND membership IN (SELECT value FROM json_each(?)) ORDER BY position LIMIT ?`,
        roomNid,
        codesOf(memberships),
        limit,
      )
      .map((row) => row.nid),
  ),
  usersOfServer: scan((db, roomNid: number, serverName: string, limit: number) =>
    db
      .all<{ userId: string }>(
        `SELECT user_id AS userId FROM memberships JOIN users USING (user_nid)
         WHERE room_nid = ? AND substr(user_id, instr(user_id, ':') + 1) = ? LIMIT ?`,
        roomNid,
        serverName,
        limit,
      )
      .map(({ userId }) => userId),
  ),
  counts: point((db, roomNid: number) => {
    const counts = db.get<MemberCounts>(
      "SELECT joined_members AS joined, invited_members AS invited FROM rooms WHERE room_nid = ?",
      roomNid,
    );
    return counts ?? { joined: 0, invited: 0 };
  }),
  hasJoinedFrom: scan(
    (db, roomNid: number, serverName: string) => db.get(joinedFromSql, roomNid, serverName) !== undefined,
  ),
  localJoinedNids: point((db, roomNid: number, limit: number) =>
    db
      .all<{ nid: number }>(
        "SELECT user_nid AS nid FROM memberships WHERE room_nid = ? AND membership = ? AND is_local = 1 LIMIT ?",
        roomNid,
        membershipCodes.join,
        limit,
      )
      .map((row) => row.nid),
  ),
  joinedGuestNids: scan((db, roomNid: number, limit: number) =>
    db
      .all<{ nid: number }>(
        `SELECT user_nid AS nid FROM memberships CROSS JOIN accounts USING (user_nid)
         WHERE room_nid = ? AND membership = ? AND is_local = 1 AND is_guest = 1 LIMIT ?`,
        roomNid,
        membershipCodes.join,
        limit,
      )
      .map((row) => row.nid),
  ),
  changes: point((db, userNid: number, after: number, upTo: number) =>
    db
      .all<StoredChange>(
        `SELECT ${logColumns} FROM membership_log
         WHERE user_nid = ? AND position > ? AND position <= ? ORDER BY position`,
        userNid,
        after,
        upTo,
      )
      .map(toChange),
  ),
  at: point((db, userNid: number, roomNid: number, position: number) => {
    const row = db.get<StoredChange>(
      `SELECT ${logColumns} FROM membership_log
       WHERE user_nid = ? AND room_nid = ? AND position <= ? ORDER BY position DESC LIMIT 1`,
      userNid,
      roomNid,
      position,
    );
    return row && toChange(row);
  }),
  joinedAmong: point((db, userNid: number, roomNids: readonly number[]) =>
    db.all<JoinedRoomRow>(joinedAmongSql, JSON.stringify(roomNids), userNid),
  ),
  history: point((db, userNid: number, roomNid: number) =>
    db
      .all<StoredChange>(
        `SELECT ${logColumns} FROM membership_log WHERE user_nid = ? AND room_nid = ? ORDER BY position`,
        userNid,
        roomNid,
      )
      .map(toChange),
  ),
  shareRoom: point(
    (db, userNid: number, otherNid: number) =>
      db.get(
        `SELECT 1 FROM memberships AS mine JOIN memberships AS theirs USING (room_nid)
         WHERE mine.user_nid = ? AND theirs.user_nid = ? AND mine.membership = ? AND theirs.membership = ? LIMIT 1`,
        userNid,
        otherNid,
        membershipCodes.join,
        membershipCodes.join,
      ) !== undefined,
  ),
  forget: write((tx, userNid: number, roomNid: number) => {
    const { leave, ban } = membershipCodes;
    const forgotten = tx.db.run(
      `UPDATE memberships SET forgotten = 1 WHERE user_nid = ? AND room_nid = ? AND membership IN (${leave}, ${ban})`,
      userNid,
      roomNid,
    );
    if (forgotten > 0) {
      tx.position("membership", userNid);
      tx.db.run("DELETE FROM thread_subscriptions WHERE user_nid = ? AND room_nid = ?", userNid, roomNid);
    }
    return forgotten > 0;
  }),
};
