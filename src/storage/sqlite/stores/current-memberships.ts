import type { CurrentMembership } from "../../commits.ts";
import { membershipCodes } from "../../memberships.ts";
import type { WriteTransaction } from "../engine/operations.ts";
import { addFarewells, countServerUser } from "./destinations.ts";
import { forgetReading } from "./receipts.ts";
import { forgetUnsharedList, forgetUnsharedLists } from "./remote-device-lists.ts";

const { join, leave, ban } = membershipCodes;
const membershipSql = "SELECT membership FROM memberships WHERE room_nid = ? AND user_nid = ?";
const setSql = `INSERT INTO memberships (room_nid, user_nid, membership, event_nid, position, is_local)
    VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT (room_nid, user_nid) DO UPDATE SET membership = excluded.membership, event_nid = excluded.event_nid,
    position = excluded.position, forgotten = forgotten AND excluded.membership IN (${leave}, ${ban})`;
const logSql =
  "INSERT INTO membership_log (user_nid, position, room_nid, membership, event_nid) VALUES (?, ?, ?, ?, ?)";

/**
 * For the transactions that change a room's state: makes somebody's membership what it is now, and all that follows from it.
 * @param eventPosition of its event, if that has one
 * @param knownSince where a member is placed of another server of whom nothing was known: in the room already by then
 */
export function setMembership(
  tx: WriteTransaction,
  roomNid: number,
  current: CurrentMembership,
  eventPosition: number | null,
  knownSince?: number,
): void {
  const { db } = tx;
  const { userNid, isLocal, eventNid } = current;
  const code = membershipCodes[current.membership];
  const before = db.get<{ membership: number }>(membershipSql, roomNid, userNid)?.membership;
  const changed = before !== code;
  const hasJoined = Number(code === join) - Number(before === join);
  if (!isLocal && hasJoined !== 0) countServerUser(tx, roomNid, userNid, hasJoined > 0 ? 1 : -1);
  const isOut = changed && (code === leave || code === ban);
  const farewellTo =
    isOut && !isLocal && eventPosition !== null
      ? addFarewells(tx, roomNid, { userNid, eventNid }, hasJoined < 0)
      : undefined;
  const membership = {
    roomNid,
    joined: code === join,
    ...(!isLocal && { isRemote: true }),
    ...(farewellTo !== undefined && { farewellTo }),
  };
  const position = changed || isLocal ? tx.position("membership", userNid, { membership }) : 0;
  const placed = eventPosition ?? (before === undefined && !isLocal ? knownSince : undefined) ?? position;
  db.run(setSql, roomNid, userNid, code, eventNid, placed, isLocal ? 1 : 0);
  if (!changed) return;
  countMembers(tx, roomNid, before, code);
  if (isLocal) db.run(logSql, userNid, placed, roomNid, code, eventNid);
  if (hasJoined >= 0) return;
  if (isLocal) forgetUnsharedLists(tx, roomNid);
  else forgetUnsharedList(tx, userNid);
  forgetReading(db, userNid, roomNid);
}

function countMembers(
  { db }: WriteTransaction,
  roomNid: number,
  before: number | undefined,
  after: number,
): void {
  const change = (code: number) => Number(after === code) - Number(before === code);
  const joined = change(membershipCodes.join);
  const invited = change(membershipCodes.invite);
  if (joined === 0 && invited === 0) return;
  db.run(
    "UPDATE rooms SET joined_members = joined_members + ?, invited_members = invited_members + ? WHERE room_nid = ?",
    joined,
    invited,
    roomNid,
  );
}
