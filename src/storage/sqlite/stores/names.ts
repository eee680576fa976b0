import type { ManyNames, NameStore, NumberedPair, StatePair } from "../../names.ts";
import type { Connection } from "../engine/connection.ts";
import { point, type StoreOperations, write } from "../engine/operations.ts";

function findUser(db: Connection, userId: string): number | undefined {
  return db.get<{ nid: number }>("SELECT user_nid AS nid FROM users WHERE user_id = ?", userId)?.nid;
}

function findEventType(db: Connection, type: string): number | undefined {
  return db.get<{ nid: number }>("SELECT type_nid AS nid FROM event_types WHERE type = ?", type)?.nid;
}

export function findStatePair(db: Connection, type: string, stateKey: string): number | undefined {
  return db.get<{ nid: number }>(
    "SELECT pair_nid AS nid FROM state_pairs WHERE type = ? AND state_key = ?",
    type,
    stateKey,
  )?.nid;
}

/** For the transactions of other stores: the integer ID of a user, made when there is none. */
export function internUser(db: Connection, userId: string, isLocal: boolean): number {
  return (
    findUser(db, userId) ??
    db.insert("INSERT INTO users (user_id, is_local) VALUES (?, ?)", userId, isLocal ? 1 : 0)
  );
}

/** For the transactions that refer to pairs. Another pair with the same integer ID, or the other way round, is an error. */
export function insertPairs(db: Connection, pairs: readonly NumberedPair[]): void {
  for (const { pairNid, type, stateKey } of pairs) {
    if (findStatePair(db, type, stateKey) === pairNid) continue;
    db.run("INSERT INTO state_pairs (pair_nid, type, state_key) VALUES (?, ?, ?)", pairNid, type, stateKey);
  }
}

export const nameOperations: StoreOperations<NameStore> = {
  findUser: point(findUser),
  findEventType: point(findEventType),
  findStatePair: point(findStatePair),
  userId: point(
    (db, userNid: number) =>
      db.get<{ id: string }>("SELECT user_id AS id FROM users WHERE user_nid = ?", userNid)?.id,
  ),
  eventType: point(
    (db, typeNid: number) =>
      db.get<{ type: string }>("SELECT type FROM event_types WHERE type_nid = ?", typeNid)?.type,
  ),
  statePair: point((db, pairNid: number) =>
    db.get<StatePair>("SELECT type, state_key AS stateKey FROM state_pairs WHERE pair_nid = ?", pairNid),
  ),
  internUser: write(({ db }, userId: string, isLocal: boolean) => internUser(db, userId, isLocal)),
  internEventType: write(
    ({ db }, type: string) =>
      findEventType(db, type) ?? db.insert("INSERT INTO event_types (type) VALUES (?)", type),
  ),
  highestPairNid: point(
    (db) => db.get<{ nid: number | null }>("SELECT max(pair_nid) AS nid FROM state_pairs")?.nid ?? 0,
  ),
  internAll: write(({ db }, { users, pairs }: ManyNames) => {
    insertPairs(db, pairs);
    return users.map(({ userId, isLocal }) => internUser(db, userId, isLocal));
  }),
};
