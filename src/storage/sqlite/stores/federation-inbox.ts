import type { FederationInboxStore, InboxEvent, InboxLane, InboxRow } from "../../federation-inbox.ts";
import { point, type StoreOperations, write, type WriteTransaction } from "../engine/operations.ts";

const nextSql = `SELECT inboxNid, roomNid, eventId, origin, pdu, receivedTs FROM (
    SELECT inbox_nid AS inboxNid, room_nid AS roomNid, event_id AS eventId, origin, pdu, received_ts AS receivedTs,
      sum(octet_length(pdu)) OVER (ORDER BY inbox_nid) - octet_length(pdu) AS bytesBefore
    FROM (SELECT * FROM federation_inbox WHERE room_nid = ? AND origin = ? AND inbox_nid > ?
      ORDER BY inbox_nid LIMIT ?))
  WHERE bytesBefore < ? ORDER BY inboxNid`;
const countSql = "SELECT count(*) AS count FROM federation_inbox WHERE room_nid = ? AND origin = ?";
const addSql = `INSERT INTO federation_inbox (room_nid, event_id, origin, pdu, received_ts) VALUES (?, ?, ?, ?, ?)
  ON CONFLICT DO NOTHING`;

export const federationInboxOperations: StoreOperations<FederationInboxStore> = {
  add: write(add),
  next: point((db, { roomNid, origin }: InboxLane, after: number, limit: number, maxBytes: number) =>
    db.all<InboxRow>(nextSql, roomNid, origin, after, limit, maxBytes),
  ),
  remove: write(({ db }, inboxNids: readonly number[]) => {
    db.run(
      "DELETE FROM federation_inbox WHERE inbox_nid IN (SELECT value FROM json_each(?))",
      JSON.stringify(inboxNids),
    );
  }),
  // Asked at each start: a reading worker would be started for it.
  lanes: point((db) =>
    db.all<InboxLane>(
      "SELECT room_nid AS roomNid, origin FROM federation_inbox GROUP BY room_nid, origin ORDER BY min(inbox_nid)",
    ),
  ),
};

function add({ db }: WriteTransaction, events: readonly InboxEvent[], maxWaiting: number): string[] {
  const waiting = new Map<string, number>();
  const leftOut: string[] = [];
  for (const { roomNid, eventId, origin, pdu, receivedTs } of events) {
    const lane = `${roomNid} ${origin}`;
    const count = waiting.get(lane) ?? db.get<{ count: number }>(countSql, roomNid, origin)?.count ?? 0;
    if (count >= maxWaiting) {
      leftOut.push(eventId);
      continue;
    }
    waiting.set(lane, count + db.run(addSql, roomNid, eventId, origin, pdu, receivedTs));
  }
  return leftOut;
}
