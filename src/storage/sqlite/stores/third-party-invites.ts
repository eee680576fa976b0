import type { NewDelivery } from "../../deliveries.ts";
import type { PendingInvite, RedeemableInvite, ThirdPartyInviteStore } from "../../third-party-invites.ts";
import type { Connection } from "../engine/connection.ts";
import { point, type StoreOperations, write } from "../engine/operations.ts";
import { addDelivery } from "./deliveries.ts";

const maxOfInviter = 500;
const lifetimeMs = 90 * 24 * 60 * 60 * 1000;

/** At most what all inviters together have left within some months; an address joins to one account at most. */
const redeemableQuery = `SELECT token, public_key AS publicKey, room_nid AS roomNid, inviter_nid AS inviterNid,
  created_ts AS createdTs, medium, address, user_nid AS userNid
  FROM third_party_invites CROSS JOIN contacts USING (medium, address) ORDER BY created_ts`;

function add(db: Connection, invite: PendingInvite, message: NewDelivery, nowTs: number): boolean {
  const { token, publicKey, roomNid, inviterNid, medium, address, createdTs } = invite;
  db.run("DELETE FROM third_party_invites WHERE created_ts <= ?", nowTs - lifetimeMs);
  const counted = db.get<{ count: number }>(
    "SELECT count(*) AS count FROM third_party_invites WHERE inviter_nid = ?",
    inviterNid,
  );
  if ((counted?.count ?? 0) >= maxOfInviter || !addDelivery(db, message, nowTs)) return false;
  db.run(
    `INSERT INTO third_party_invites (token, public_key, room_nid, inviter_nid, medium, address, created_ts)
    VALUES (?, ?, ?, ?, ?, ?, ?)`,
    token,
    publicKey,
    roomNid,
    inviterNid,
    medium,
    address,
    createdTs,
  );
  return true;
}

export const thirdPartyInviteOperations: StoreOperations<ThirdPartyInviteStore> = {
  add: write(({ db }, invite: PendingInvite, message: NewDelivery, nowTs: number) =>
    add(db, invite, message, nowTs),
  ),
  hasKey: point(
    (db, publicKey: string) =>
      db.get("SELECT 1 FROM third_party_invites WHERE public_key = ?", publicKey) !== undefined,
  ),
  // Asked at each start: a reading worker would be started for it.
  redeemable: point((db) => db.all<RedeemableInvite>(redeemableQuery)),
  remove: write(({ db }, token: string) => {
    db.run("DELETE FROM third_party_invites WHERE token = ?", token);
  }),
};
