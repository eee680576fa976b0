import type { FederationInboxStore, InboxEvent, InboxRow } from "../../federation-inbox.ts";
import { point, type StoreOperations, write, type WriteTransaction } from "../engine/operations.ts";

const nextSql = `SELECT inbox_nid AS inboxNid, room_nid AS roomNid, event_id AS eventId, origin, pdu,
    received_ts AS receivedTs
  FROM federation_inbox WHERE room_nid = ? ORDER BY inbox_nid LIMIT ?`;
const addSql = `INSERT INTO federation_inbox (room_nid, event_id, origin, pdu, received_ts) VALUES (?, ?, ?, ?, ?)
  ON CONFLICT DO NOTHING`;

export const federationInboxOperations: StoreOperations<FederationInboxStore> = {
  add: write(add),
  next: point((db, roomNid: number, limit: number) => db.all<InboxRow>(nextSql, roomNid, limit)),
  remove: write(({ db }, inboxNids: readonly number[]) => {
    db.run(
      "DELETE FROM federation_inbox WHERE inbox_nid IN (SELECT value FROM json_each(?))",
      JSON.stringify(inboxNids),
    );
  }),
  // Asked at each start: a reading worker would be started for it.
  rooms: point((db) =>
    db.all<{ nid: number }>("SELECT DISTINCT room_nid AS nid FROM federation_inbox").map(({ nid }) => nid),
  ),
};

function add({ db }: WriteTransaction, events: readonly InboxEvent[], maxWaiting: number): string[] {
  const waiting = new Map<number, number>();
  const leftOut: string[] = [];
  for (const { roomNid, eventId, origin, pdu, receivedTs } of events) {
    const count =
      waiting.get(roomNid) ??
      db.get<{ count: number }>("SELECT count(*) AS count FROM federation_inbox WHERE room_nid = ?", roomNid)
        ?.count ??
      0;
    if (count >= maxWaiting) {
      leftOut.push(eventId);
      continue;
    }
    waiting.set(roomNid, count + db.run(addSql, roomNid, eventId, origin, pdu, receivedTs));
  }
  return leftOut;
}
