import type {
  AnnotationKey,
  BundledTarget,
  ChildQuery,
  ParentRelation,
  RelationStore,
  ReplacementQuery,
  ThreadRow,
  ThreadSender,
} from "../../relations.ts";
import type { Connection } from "../engine/connection.ts";
import { point, scan, type StoreOperations } from "../engine/operations.ts";

/** Edits of one event that are compared. */
const maxReplacements = 100;

const annotationSql = `SELECT event_nid AS nid FROM event_relations
  WHERE target_id = ? AND relation = 'm.annotation' AND sender_nid = ? AND type_nid = ? AND annotation_key = ?
  LIMIT 1`;
/** Most events have no children at all: that is asked first, and once. */
const bundledSql = `SELECT target.value AS targetId, kind.value AS relation
  FROM json_each(?) AS target CROSS JOIN json_each('["m.replace","m.thread","m.reference"]') AS kind
  WHERE EXISTS (SELECT 1 FROM event_relations WHERE target_id = target.value)
    AND EXISTS (SELECT 1 FROM event_relations
      WHERE target_id = target.value AND relation = kind.value AND room_nid = ?)`;
/** ?1 targets, ?2 room, ?3 relations, ?4 senders. */
const relatedSql = `SELECT value AS targetId FROM json_each(?1)
  WHERE EXISTS (SELECT 1 FROM event_relations
    WHERE target_id = value AND room_nid = ?2
      AND (?3 IS NULL OR relation IN (SELECT value FROM json_each(?3)))
      AND (?4 IS NULL OR sender_nid IN (SELECT value FROM json_each(?4))))`;
const replacementsSql = `SELECT events.event_nid AS nid
  FROM (SELECT event_nid FROM event_relations
    WHERE target_id = ? AND relation = 'm.replace' AND position <= ? AND room_nid = ? AND sender_nid = ? AND type_nid = ?
    ORDER BY position DESC LIMIT ${maxReplacements}) CROSS JOIN events USING (event_nid)
  WHERE pair_nid IS NULL ORDER BY origin_server_ts DESC, event_id DESC LIMIT ?`;
const hasReplacementSql =
  "SELECT 1 FROM event_relations WHERE target_id = ? AND relation = 'm.replace' LIMIT 1";
const threadSendersSql = `SELECT sender_nid AS senderNid, count(*) AS replies, max(position) AS latestPosition
  FROM event_relations
  WHERE target_id = ? AND relation = 'm.thread' AND position <= ? AND room_nid = ? GROUP BY sender_nid`;
const newestRepliesSql = `SELECT event_nid AS nid FROM event_relations
  WHERE target_id = ? AND relation = 'm.thread' AND position <= ? AND room_nid = ? ORDER BY position DESC LIMIT ?`;
const referencesSql = `SELECT event_nid AS nid FROM event_relations
  WHERE target_id = ? AND relation = 'm.reference' AND position <= ? AND room_nid = ? ORDER BY position LIMIT ?`;
const parentSql = "SELECT relation, target_id AS targetId FROM event_relations WHERE event_nid = ?";
const threadRootSql = "SELECT 1 FROM threads WHERE room_nid = ? AND root_id = ?";
const threadsSql = `SELECT root_id AS rootId, latest_position AS latestPosition FROM threads
  WHERE room_nid = ? AND latest_position < ? ORDER BY latest_position DESC LIMIT ?`;
/** ?1 target, ?2 room, ?3 depth, ?4 after, ?5 up to, ?6 relation, ?7 type, ?8 limit. */
const childrenSql = `WITH RECURSIVE tree (nid, relation, type_nid, position, depth) AS (
    SELECT event_nid, relation, type_nid, position, 1 FROM event_relations WHERE target_id = ?1 AND room_nid = ?2
    UNION
    SELECT child.event_nid, child.relation, child.type_nid, child.position, tree.depth + 1
    FROM tree JOIN events ON events.event_nid = tree.nid
      JOIN event_relations AS child ON child.target_id = events.event_id
    WHERE tree.depth < ?3 AND child.room_nid = ?2
  )
  SELECT nid FROM tree
  WHERE position > ?4 AND position <= ?5 AND (?6 IS NULL OR relation = ?6) AND (?7 IS NULL OR type_nid = ?7)
  GROUP BY nid`;
const childrenOldestFirstSql = `${childrenSql} ORDER BY position LIMIT ?8`;
const childrenNewestFirstSql = `${childrenSql} ORDER BY position DESC LIMIT ?8`;
/** Without depth no more is read than is asked for. */
const ownChildrenSql = `SELECT event_nid AS nid FROM event_relations
  WHERE target_id = ? AND relation = ? AND room_nid = ? AND position > ? AND position <= ? AND type_nid = coalesce(?, type_nid)`;
const ownChildrenOldestFirstSql = `${ownChildrenSql} ORDER BY position LIMIT ?`;
const ownChildrenNewestFirstSql = `${ownChildrenSql} ORDER BY position DESC LIMIT ?`;

interface NidRow {
  readonly nid: number;
}

function nidsOf(rows: readonly NidRow[]): number[] {
  return rows.map(({ nid }) => nid);
}

function readChildren(db: Connection, query: ChildQuery): number[] {
  const { targetId, roomNid, relation, typeNid, maxDepth, after, upTo, newestFirst, limit } = query;
  if (maxDepth === 1 && relation !== null) {
    const sql = newestFirst ? ownChildrenNewestFirstSql : ownChildrenOldestFirstSql;
    return nidsOf(db.all<NidRow>(sql, targetId, relation, roomNid, after, upTo, typeNid, limit));
  }
  const sql = newestFirst ? childrenNewestFirstSql : childrenOldestFirstSql;
  return nidsOf(db.all<NidRow>(sql, targetId, roomNid, maxDepth, after, upTo, relation, typeNid, limit));
}

/** See `RelationStore.replacements`; for the search index, too. */
export function readReplacements(db: Connection, query: ReplacementQuery): number[] {
  const { targetId, upTo, roomNid, senderNid, typeNid, limit } = query;
  // Nearly nothing has been edited, and ordering nothing takes twenty times as long as finding nothing.
  if (!db.get(hasReplacementSql, targetId)) return [];
  return nidsOf(db.all<NidRow>(replacementsSql, targetId, upTo, roomNid, senderNid, typeNid, limit));
}

function readParents(db: Connection, eventNid: number, maxHops: number): ParentRelation[] {
  const parents: ParentRelation[] = [];
  let nid: number | undefined = eventNid;
  while (nid !== undefined && parents.length < maxHops) {
    const parent: ParentRelation | undefined = db.get<ParentRelation>(parentSql, nid);
    if (!parent) break;
    parents.push(parent);
    if (parent.relation === "m.thread") break;
    nid = db.get<NidRow>("SELECT event_nid AS nid FROM events WHERE event_id = ?", parent.targetId)?.nid;
  }
  return parents;
}

export const relationOperations: StoreOperations<RelationStore> = {
  annotationBy: point(
    (db, { targetId, senderNid, typeNid, key }: AnnotationKey) =>
      db.get<NidRow>(annotationSql, targetId, senderNid, typeNid, key)?.nid,
  ),
  bundledTargets: point((db, roomNid: number, targetIds: readonly string[]) =>
    db.all<BundledTarget>(bundledSql, JSON.stringify(targetIds), roomNid),
  ),
  relatedTargets: point(
    (
      db,
      roomNid: number,
      targetIds: readonly string[],
      relations: readonly string[] | null,
      senderNids: readonly number[] | null,
    ) =>
      db
        .all<{ targetId: string }>(
          relatedSql,
          JSON.stringify(targetIds),
          roomNid,
          relations && JSON.stringify(relations),
          senderNids && JSON.stringify(senderNids),
        )
        .map(({ targetId }) => targetId),
  ),
  replacements: point(readReplacements),
  threadSenders: point((db, roomNid: number, rootId: string, upTo: number) =>
    db.all<ThreadSender>(threadSendersSql, rootId, upTo, roomNid),
  ),
  newestReplies: point((db, roomNid: number, rootId: string, upTo: number, limit: number) =>
    nidsOf(db.all<NidRow>(newestRepliesSql, rootId, upTo, roomNid, limit)),
  ),
  references: point((db, roomNid: number, targetId: string, upTo: number, limit: number) =>
    nidsOf(db.all<NidRow>(referencesSql, targetId, upTo, roomNid, limit)),
  ),
  children: scan(readChildren),
  parents: point(readParents),
  isThreadRoot: point(
    (db, roomNid: number, eventId: string) => db.get(threadRootSql, roomNid, eventId) !== undefined,
  ),
  threads: point((db, roomNid: number, before: number, limit: number) =>
    db.all<ThreadRow>(threadsSql, roomNid, before, limit),
  ),
};

/** Puts a thread to where its newest reply is. */
export function advanceThread(db: Connection, roomNid: number, rootId: string, position: number): void {
  db.run(
    `INSERT INTO threads (room_nid, root_id, latest_position) VALUES (?, ?, ?)
     ON CONFLICT (room_nid, root_id) DO UPDATE SET latest_position = max(latest_position, excluded.latest_position)`,
    roomNid,
    rootId,
    position,
  );
}

/** What is left of a redacted event relates to nothing. */
export function removeRelation(db: Connection, eventNid: number): void {
  const removed = db.all<{ targetId: string; relation: string; roomNid: number }>(
    "SELECT target_id AS targetId, relation, room_nid AS roomNid FROM event_relations WHERE event_nid = ?",
    eventNid,
  );
  db.run("DELETE FROM event_relations WHERE event_nid = ?", eventNid);
  for (const { targetId, relation, roomNid } of removed) {
    if (relation === "m.thread") resetThread(db, roomNid, targetId);
  }
}

function resetThread(db: Connection, roomNid: number, rootId: string): void {
  const latest = db.get<{ position: number | null }>(
    `SELECT max(position) AS position FROM event_relations
     WHERE target_id = ? AND relation = 'm.thread' AND room_nid = ?`,
    rootId,
    roomNid,
  )?.position;
  db.run("DELETE FROM threads WHERE room_nid = ? AND root_id = ?", roomNid, rootId);
  if (latest !== null && latest !== undefined) advanceThread(db, roomNid, rootId, latest);
}
