import {
  firstInLine,
  type Succession,
  successionAfter,
} from "../../../protocol/state-resolution/succession.ts";
import { decodeNids, encodeNids } from "../../../state/delta.ts";
import type { NewEvent } from "../../commits.ts";
import type { Connection } from "../engine/connection.ts";

/** What walks of the graph of auth events read of a state event. */
export interface AuthEdges {
  readonly authNids: readonly number[];
  readonly pairNid: number;
  readonly succession: Succession;
}

interface Row {
  readonly authNids: Buffer;
  readonly pairNid: number;
  readonly predecessor: number | null;
  readonly jump: number | null;
  readonly height: number;
}

const edgesSql = `SELECT auth_nids AS authNids, pair_nid AS pairNid, predecessor_nid AS predecessor, jump_nid AS jump, height
  FROM event_auth WHERE event_nid = ?`;

/** `undefined` for what is no stored state event. */
export function readAuthEdges(db: Connection, eventNid: number): AuthEdges | undefined {
  const row = db.get<Row>(edgesSql, eventNid);
  if (!row) return undefined;
  const { authNids, pairNid, predecessor, jump, height } = row;
  return {
    authNids: decodeNids(authNids),
    pairNid,
    succession: { predecessor: predecessor ?? undefined, jump: jump ?? undefined, height },
  };
}

export function readAuthNids(db: Connection, eventNid: number): readonly number[] {
  return readAuthEdges(db, eventNid)?.authNids ?? [];
}

/** Events of a room that rest on some with greater integer IDs. */
export function readLateEvents(db: Connection, roomNid: number): ReadonlySet<number> {
  const rows = db.all<{ nid: number }>(
    "SELECT event_nid AS nid FROM late_auth_edges WHERE room_nid = ?",
    roomNid,
  );
  return new Set(rows.map(({ nid }) => nid));
}

const isOfPairSql = "SELECT 1 FROM event_auth WHERE event_nid = ? AND pair_nid = ?";

/** The event that another one succeeds: the oldest of those that it rests on that are of its own pair. */
export function predecessorAmong(
  authNids: readonly number[],
  isOfPair: (authNid: number) => boolean,
): number | undefined {
  return authNids.toSorted((a, b) => a - b).find(isOfPair);
}

/** An invite is stored before anything that it rests on is known: it gets its edges with that. */
const insertSql = `INSERT INTO event_auth (event_nid, auth_nids, pair_nid, predecessor_nid, jump_nid, height)
  VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET auth_nids = excluded.auth_nids, predecessor_nid = excluded.predecessor_nid,
    jump_nid = excluded.jump_nid, height = excluded.height WHERE length(auth_nids) = 0`;

/** Part of the transaction that stores a state event; what it rests on is stored. */
export function insertAuthEdges(
  db: Connection,
  { eventNid, roomNid, authNids }: Pick<NewEvent, "eventNid" | "roomNid" | "authNids">,
  pairNid: number,
): void {
  // Looked up one by one, which takes a quarter of the time that a list in SQL would: there are ten at most.
  const isOfPair = (authNid: number) => db.get(isOfPairSql, authNid, pairNid) !== undefined;
  const predecessor = predecessorAmong(authNids, isOfPair);
  const succession = (nid: number) => readAuthEdges(db, nid)?.succession ?? firstInLine;
  const { jump, height } = successionAfter({ succession }, predecessor);
  db.run(insertSql, eventNid, encodeNids(authNids), pairNid, predecessor ?? null, jump ?? null, height);
  if (authNids.every((authNid) => authNid < eventNid)) return;
  db.run(
    "INSERT INTO late_auth_edges (room_nid, event_nid) VALUES (?, ?) ON CONFLICT DO NOTHING",
    roomNid,
    eventNid,
  );
}
