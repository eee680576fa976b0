import { isJsonObject, type JsonObject } from "../../../protocol/json.ts";
import { type SearchedContent, searchedContent } from "../../searched-content.ts";
import type { Connection } from "../engine/connection.ts";
import { readReplacements } from "../stores/relations.ts";

/** An event that may be a document of the index. */
export interface MessageRow {
  readonly eventNid: number;
  readonly eventId: string;
  readonly roomNid: number;
  readonly position: number;
  readonly typeNid: number;
  readonly type: string;
  /** The pair of type and state key, for a state event. */
  readonly pairNid: number | null;
  readonly senderNid: number;
  readonly redactedBy: number | null;
  readonly common: string;
}

/** What of an event is searched. */
export interface SearchedText extends SearchedContent {
  readonly hasUrl: boolean;
}

/** Edits that are tried until one is valid. */
const maxEdits = 10;

const columns = `event_nid AS eventNid, event_id AS eventId, room_nid AS roomNid, position, type_nid AS typeNid,
  (SELECT type FROM event_types WHERE event_types.type_nid = events.type_nid) AS type,
  pair_nid AS pairNid, sender_nid AS senderNid, redacted_by AS redactedBy, common`;
const byNidSql = `SELECT ${columns} FROM events WHERE event_nid = ? AND position IS NOT NULL`;
const atSql = `SELECT ${columns} FROM events WHERE room_nid = ? AND position = ?`;
const byIdSql = `SELECT ${columns} FROM events WHERE event_id = ? AND position IS NOT NULL`;

export function messageByNid(main: Connection, eventNid: number): MessageRow | undefined {
  return main.get<MessageRow>(byNidSql, eventNid);
}

export function messageAt(main: Connection, roomNid: number, position: number): MessageRow | undefined {
  return main.get<MessageRow>(atSql, roomNid, position);
}

export function messageById(main: Connection, eventId: string): MessageRow | undefined {
  return main.get<MessageRow>(byIdSql, eventId);
}

/**
 * What of an event is searched, with its newest edit in place of what it said first; `undefined` when there is nothing, for
 * it has been redacted or is an edit itself, for one.
 */
export function searchedText(main: Connection, row: MessageRow): SearchedText | undefined {
  if (row.redactedBy !== null || editedId(row) !== undefined) return undefined;
  const isMessage = row.type === "m.room.message";
  const isRoomState = row.pairNid !== null && hasEmptyStateKey(main, row.pairNid);
  if (isMessage ? row.pairNid !== null : !isRoomState) return undefined;
  const own = objectAt(JSON.parse(`{${row.common}}`), "content") ?? {};
  const content = (isMessage && newestEdit(main, row)) || own;
  const searched = searchedContent(row.type, content);
  return searched && { ...searched, hasUrl: typeof content["url"] === "string" };
}

/** The event that an edit wants to replace. */
export function editedId(row: MessageRow): string | undefined {
  if (row.type !== "m.room.message" || !row.common.includes('"m.replace"')) return undefined;
  const relation = objectAt(objectAt(JSON.parse(`{${row.common}}`), "content"), "m.relates_to");
  const eventId = relation?.["rel_type"] === "m.replace" ? relation["event_id"] : undefined;
  return typeof eventId === "string" ? eventId : undefined;
}

/** The event that a redaction is for. */
export function redactedId(row: MessageRow): string | undefined {
  if (row.type !== "m.room.redaction") return undefined;
  const event: unknown = JSON.parse(`{${row.common}}`);
  const eventId =
    objectAt(event, "content")?.["redacts"] ?? (isJsonObject(event) ? event["redacts"] : undefined);
  return typeof eventId === "string" ? eventId : undefined;
}

/** `m.new_content` of the newest valid edit. */
function newestEdit(main: Connection, row: MessageRow): JsonObject | undefined {
  const nids = readReplacements(main, {
    roomNid: row.roomNid,
    targetId: row.eventId,
    senderNid: row.senderNid,
    typeNid: row.typeNid,
    upTo: Number.MAX_SAFE_INTEGER,
    limit: maxEdits,
  });
  for (const nid of nids) {
    const edit = main.get<{ common: string }>("SELECT common FROM events WHERE event_nid = ?", nid);
    const content = objectAt(objectAt(JSON.parse(`{${edit?.common ?? ""}}`), "content"), "m.new_content");
    if (content) return content;
  }
  return undefined;
}

function hasEmptyStateKey(main: Connection, pairNid: number): boolean {
  const pair = main.get<{ stateKey: string }>(
    "SELECT state_key AS stateKey FROM state_pairs WHERE pair_nid = ?",
    pairNid,
  );
  return pair?.stateKey === "";
}

function objectAt(value: unknown, key: string): JsonObject | undefined {
  const inner = isJsonObject(value) ? value[key] : undefined;
  return isJsonObject(inner) ? inner : undefined;
}
