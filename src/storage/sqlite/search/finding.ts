import type { IndexQuery, SearchedRoom, SearchHit, SearchHits } from "../../search-index.ts";
import { scoreOf } from "../../search-terms.ts";
import type { Connection } from "../engine/connection.ts";
import { firstPosition, inRoomSql, lastPosition, matchExpression, positionSql } from "./documents.ts";
import type { IndexedDatabase } from "./indexing.ts";
import { messageAt, searchedText } from "./message-rows.ts";

/** A document that matches, before its event has been looked up. */
interface Match {
  readonly roomNid: number;
  readonly position: number;
}

/** A room to look into: positions up to `upTo` may be in it. */
type Place = SearchedRoom & { readonly expression: string };

const newestSql = `SELECT ${positionSql} AS position FROM messages
  WHERE messages MATCH ?5 AND ${inRoomSql} ORDER BY rowid LIMIT ?4`;
const countSql = `SELECT count(*) AS total FROM (SELECT 1 FROM messages
  WHERE messages MATCH ?5 AND ${inRoomSql} LIMIT ?4)`;
/** Rooms that have anything to find, and their newest position. */
const roomsSql = `SELECT room_nid AS roomNid, last_position AS lastPosition
  FROM json_each(?) CROSS JOIN rooms ON rooms.room_nid = json_each.value CROSS JOIN room_summaries USING (room_nid)
  WHERE encryption IS NULL`;

/** See `SearchIndex.find`. */
export function find(dbs: IndexedDatabase, query: IndexQuery): SearchHits {
  const { main, index } = dbs;
  main.run("BEGIN");
  index.run("BEGIN");
  try {
    const places = placesOf(main, query);
    const { matches, isAll } = newestMatches(index, places, query);
    const reached = isAll ? undefined : matches.at(-1)?.position;
    const hits = matches.map((match) => hitOf(main, match, query)).filter((hit) => hit !== undefined);
    return { hits, reached, count: count(index, places, query) };
  } finally {
    index.run("COMMIT");
    main.run("COMMIT");
  }
}

/** The rooms, that with the newest events first. */
function placesOf(main: Connection, query: IndexQuery): Place[] {
  const expressionIn = matchExpression(query);
  const roomNids = query.rooms.map(({ roomNid }) => roomNid);
  const rows = main.all<{ roomNid: number; lastPosition: number }>(roomsSql, JSON.stringify(roomNids));
  const lastPositions = new Map(rows.map((row) => [row.roomNid, row.lastPosition]));
  const places: Place[] = [];
  for (const room of query.rooms) {
    const last = lastPositions.get(room.roomNid);
    if (last === undefined) continue;
    places.push({ ...room, upTo: Math.min(last, room.upTo), expression: expressionIn(room.roomNid) });
  }
  return places.sort((a, b) => b.upTo - a.upTo);
}

/** The newest matches of all rooms. Rooms in which nothing is newer than what has been found are not looked into. */
function newestMatches(
  index: Connection,
  places: readonly Place[],
  { upTo, downTo, limit }: IndexQuery,
): { readonly matches: readonly Match[]; readonly isAll: boolean } {
  let newest: Match[] = [];
  let isAll = true;
  for (const place of places) {
    const oldest = newest.length < limit ? undefined : newest.at(-1)?.position;
    if (oldest !== undefined && place.upTo < oldest) return { matches: newest, isAll: false };
    const from = clamp(Math.min(place.upTo, upTo));
    const end = clamp(Math.max(downTo, oldest ?? firstPosition));
    const { roomNid } = place;
    const found = index.all<{ position: number }>(newestSql, roomNid, from, end, limit + 1, place.expression);
    const all = [...newest, ...found.map(({ position }) => ({ roomNid, position }))];
    if (oldest !== undefined || all.length > limit) isAll = false;
    if (found.length === 0) continue;
    newest = all.sort((a, b) => b.position - a.position).slice(0, limit);
  }
  return { matches: newest, isAll };
}

/** A document whose event is no longer there is none. */
function hitOf(main: Connection, { roomNid, position }: Match, query: IndexQuery): SearchHit | undefined {
  const row = messageAt(main, roomNid, position);
  if (!row || row.redactedBy !== null) return undefined;
  const text = query.scored ? (searchedText(main, row)?.text ?? "") : "";
  return { eventNid: row.eventNid, roomNid, position, score: query.scored ? scoreOf(text, query.terms) : 0 };
}

function count(index: Connection, places: readonly Place[], { countLimit }: IndexQuery): number {
  let total = 0;
  for (const { roomNid, memberFrom, upTo, expression } of places) {
    const left = countLimit - total;
    if (left <= 0) break;
    const [from, end] = [clamp(upTo), clamp(memberFrom)];
    const found = index.get<{ total: number }>(countSql, roomNid, from, end, left, expression);
    total += found?.total ?? 0;
  }
  return total;
}

function clamp(position: number): number {
  return Math.max(firstPosition, Math.min(position, lastPosition));
}
