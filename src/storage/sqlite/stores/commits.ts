import type {
  CommitStore,
  CommittedHead,
  EventCommit,
  EventEffects,
  EventRelation,
  NewEvent,
  NewRoom,
  RestatedEvent,
  Restatement,
} from "../../commits.ts";
import { isBundledRelation } from "../../relations.ts";
import type { SnapshotRow } from "../../state.ts";
import type { ChangeDetails } from "../../streams.ts";
import type { Connection } from "../engine/connection.ts";
import { type StoreOperations, write, type WriteTransaction } from "../engine/operations.ts";
import { insertAuthEdges } from "./auth-edges.ts";
import { dropSnapshotsOf } from "./dropped-snapshots.ts";
import { setMembership } from "./current-memberships.ts";
import { finaliseDelayedEvent } from "./delayed-events.ts";
import { changeSummary } from "./room-summaries.ts";
import { endPartial } from "./partial-rooms.ts";
import { insertPairs } from "./names.ts";
import { redactWhatItMust } from "./redactions.ts";
import { advanceThread, removeRelation } from "./relations.ts";
import { followRemoteUsersAgain } from "./remote-users.ts";
import { insertStickyEvent, unstick } from "./sticky-events.ts";
import { insertAlias } from "./rooms.ts";
import { insertTransaction, isRepetition } from "./send-transactions.ts";
import { gapSizeIn, moveGap, noteGap } from "./timeline-gaps.ts";

/** What has to be known of an event to do what it does. */
type ShownEvent = EventEffects &
  Pick<
    NewEvent,
    "eventNid" | "eventId" | "roomNid" | "typeNid" | "pairNid" | "senderNid" | "originServerTs" | "flags"
  >;

export const commitOperations: StoreOperations<CommitStore> = {
  commit: write(commit),
  restate: write(restate),
};

function commit(
  tx: WriteTransaction,
  { roomNid, newRoom, ...rest }: EventCommit,
): (number | null)[] | undefined {
  const { db } = tx;
  if (!followsStored(db, rest.events) || rest.events.some((event) => isRepetition(db, event)))
    return undefined;
  if (newRoom && !insertRoom(db, roomNid, newRoom)) return undefined;
  insertPairs(db, rest.pairs ?? []);
  for (const snapshot of rest.snapshots) insertSnapshot(tx, snapshot);
  const positions = rest.events.map((event) => insertEvent(tx, event));
  if (rest.filledGap) moveGap(tx, roomNid, rest.filledGap);
  const newest = Math.max(0, ...positions.filter((position) => position !== null));
  if (rest.head) moveHead(db, roomNid, rest.head, newest);
  const positionByNid = new Map(rest.events.map((event, index) => [event.eventNid, positions[index]]));
  for (const membership of rest.memberships) {
    setMembership(tx, roomNid, membership, positionByNid.get(membership.eventNid) ?? null);
  }
  if (rest.strippedState) {
    const { eventNid, events } = rest.strippedState;
    db.run(
      "INSERT INTO stripped_states (event_nid, events) VALUES (?, ?) ON CONFLICT DO NOTHING",
      eventNid,
      JSON.stringify(events),
    );
  }
  if (rest.summary) changeSummary(db, roomNid, rest.summary);
  return positions;
}

function restate(
  tx: WriteTransaction,
  { roomNid, events, snapshots, head, memberships, summary }: Restatement,
): void {
  const { db } = tx;
  for (const snapshot of snapshots) insertSnapshot(tx, snapshot);
  const partialSince = db.get<{ position: number }>(partialSinceSql, roomNid)?.position;
  const positions = events.map((event) => restateEvent(tx, roomNid, event));
  moveHead(db, roomNid, head, Math.max(0, ...positions));
  for (const membership of memberships) setMembership(tx, roomNid, membership, null, partialSince);
  // Those in the room before are told to have come with the join.
  if (partialSince !== undefined) followRemoteUsersAgain(db, partialSince);
  if (summary) changeSummary(db, roomNid, summary);
  endPartial(tx, roomNid);
  const restatedNids = events.map(({ eventNid }) => eventNid);
  const position = tx.position("timeline", roomNid, {
    isHistory: true,
    isWhole: true,
    restatedNids,
    ...(partialSince !== undefined && { partialSince }),
  });
  db.run("UPDATE rooms SET whole_position = ? WHERE room_nid = ?", position, roomNid);
}

const partialSinceSql = `SELECT position FROM events JOIN partial_rooms ON join_id = event_id
  WHERE partial_rooms.room_nid = ? AND position IS NOT NULL`;
const restatedSql = `SELECT event_id AS eventId, position, type_nid AS typeNid, pair_nid AS pairNid, sender_nid AS senderNid,
  origin_server_ts AS originServerTs FROM events WHERE event_nid = ?`;

/** @returns the position that the event has got, 0 when it has got no new one */
function restateEvent(tx: WriteTransaction, roomNid: number, event: RestatedEvent): number {
  const { db } = tx;
  const { eventNid, inTimeline, flags } = event;
  const stored = db.get<Omit<ShownEvent, "eventNid" | "roomNid" | "flags"> & { position: number | null }>(
    restatedSql,
    eventNid,
  );
  if (!stored) throw new Error(`event ${eventNid} is not stored`);
  const shown = { ...stored, ...event.effects, eventNid, roomNid, flags };
  const isNew = inTimeline && stored.position === null;
  const position = isNew
    ? tx.position("timeline", roomNid, detailsOf(shown))
    : inTimeline
      ? stored.position
      : null;
  dropSnapshotsOf(db, eventNid);
  db.run(
    `UPDATE events SET position = ?, state_before = ?, state_after = ?, room_state = ?, flags = ?, replaces = ?
     WHERE event_nid = ?`,
    position,
    event.stateBefore,
    event.stateAfter,
    event.roomState,
    event.flags,
    event.replaces,
    eventNid,
  );
  if (!inTimeline) {
    unstick(db, eventNid);
    removeRelation(db, eventNid);
    return 0;
  }
  redactWhatItMust(db, shown);
  if (!isNew || position === null) return 0;
  if (shown.relation) insertRelation(db, shown, shown.relation, position);
  insertStickyEvent(tx, shown, position);
  return position;
}

/** Whether each event follows events that are stored or that come with it. */
function followsStored(db: Connection, events: readonly NewEvent[]): boolean {
  const together = new Set(events.map((event) => event.eventNid));
  return events.every(({ prevNids }) =>
    prevNids.every(
      (prevNid) => together.has(prevNid) || db.get("SELECT 1 FROM events WHERE event_nid = ?", prevNid),
    ),
  );
}

/** False, and nothing is changed, when the room's alias is taken. */
function insertRoom(db: Connection, roomNid: number, { roomId, version, listing }: NewRoom): boolean {
  const { isPublic = false, alias } = listing ?? {};
  if (alias && !insertAlias(db, { alias: alias.name, roomNid, creatorNid: alias.creatorNid })) return false;
  db.run(
    "INSERT INTO rooms (room_nid, room_id, version, is_public) VALUES (?, ?, ?, ?)",
    roomNid,
    roomId,
    version,
    Number(isPublic),
  );
  return true;
}

function insertSnapshot(
  { db }: WriteTransaction,
  { snapshotNid, parentNid, height, delta }: SnapshotRow,
): void {
  db.run(
    "INSERT INTO state_snapshots (snapshot_nid, parent_nid, height, delta) VALUES (?, ?, ?, ?)",
    snapshotNid,
    parentNid,
    height,
    delta,
  );
}

/** An outlier gets its place: what it is stays, and may have been redacted since. */
const insertEventSql = `INSERT INTO events (event_nid, event_id, room_nid, position, type_nid, pair_nid, sender_nid, depth,
    origin_server_ts, state_before, state_after, room_state, flags, replaces, delay_id, common, federation)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (event_nid) DO UPDATE SET position = excluded.position, state_before = excluded.state_before,
    state_after = excluded.state_after, room_state = excluded.room_state, flags = excluded.flags,
    replaces = excluded.replaces`;

function insertEvent(tx: WriteTransaction, event: NewEvent): number | null {
  const { db } = tx;
  const position = event.historyPosition ?? newestPosition(tx, event);
  db.run(
    insertEventSql,
    event.eventNid,
    event.eventId,
    event.roomNid,
    position,
    event.typeNid,
    event.pairNid,
    event.senderNid,
    event.depth,
    event.originServerTs,
    event.stateBefore,
    event.stateAfter,
    event.roomState,
    event.flags,
    event.replaces,
    event.delayId,
    event.common,
    event.federation,
  );
  if (event.pairNid !== null) insertAuthEdges(db, event, event.pairNid);
  if (event.relation && position !== null) insertRelation(tx.db, event, event.relation, position);
  if (event.transaction) insertTransaction(db, event);
  if (event.delayId !== null) endDelay(db, event, event.delayId);
  if (position !== null && event.historyPosition === undefined) noteGap(db, event, position);
  insertStickyEvent(tx, event, position);
  redactWhatItMust(db, event);
  return position;
}

function newestPosition(tx: WriteTransaction, event: NewEvent): number | null {
  if (!event.inTimeline) return null;
  const { roomNid, eventNid } = event;
  if (!event.gapFollowers?.length) {
    return tx.position("timeline", roomNid, { ...detailsOf(event), eventNid });
  }
  tx.leaveRoom(gapSizeIn(tx.db, roomNid));
  return tx.position("timeline", roomNid, detailsOf(event));
}

function detailsOf(event: ShownEvent): ChangeDetails | undefined {
  const { redaction, pairNid, relation, senderNid, stickyUntilTs } = event;
  if (redaction) return { redactedNid: redaction.targetNid };
  const isMessage = pairNid === null && relation?.relation !== "m.annotation";
  return {
    ...(isMessage && { senderNid }),
    ...(pairNid !== null && { pairNid }),
    ...(isBundledRelation(relation?.relation) && { isBundled: true }),
    ...(stickyUntilTs !== undefined && { stickyUntilTs }),
  };
}

function moveHead(
  db: Connection,
  roomNid: number,
  { extremities, currentSnapshot, stateEventsAdded = 0 }: CommittedHead,
  lastPosition: number,
): void {
  db.run("DELETE FROM forward_extremities WHERE room_nid = ?", roomNid);
  for (const eventNid of extremities) {
    db.run("INSERT INTO forward_extremities (room_nid, event_nid) VALUES (?, ?)", roomNid, eventNid);
  }
  db.run(
    `UPDATE rooms SET current_snapshot = ?, last_position = max(last_position, ?), state_events = state_events + ?
     WHERE room_nid = ?`,
    currentSnapshot,
    lastPosition,
    stateEventsAdded,
    roomNid,
  );
}

/** For those who bring an event into the timeline: what it relates to. */
function insertRelation(
  db: Connection,
  event: ShownEvent,
  { targetId, relation, key }: EventRelation,
  position: number,
): void {
  db.run(
    `INSERT INTO event_relations (target_id, relation, position, event_nid, room_nid, sender_nid, type_nid, annotation_key)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    targetId,
    relation,
    position,
    event.eventNid,
    event.roomNid,
    event.senderNid,
    event.typeNid,
    key,
  );
  if (relation === "m.thread") advanceThread(db, event.roomNid, targetId, position);
}

/** Sent and ended are one: whenever the server stops, the event is sent once. */
function endDelay(db: Connection, { eventId, finalisedTs }: NewEvent, delayId: string): void {
  if (finalisedTs === undefined) return;
  finaliseDelayedEvent(db, delayId, { finalisedTs, eventId, error: null });
}
