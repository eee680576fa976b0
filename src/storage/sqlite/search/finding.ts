import type { IndexQuery, SearchedRoom, SearchHit, SearchHits } from "../../search-index.ts";
import { scoreOf } from "../../search-terms.ts";
import type { Connection } from "../engine/connection.ts";
import { documentIdSql, firstPosition, lastPosition, matchExpression, positionSql } from "./documents.ts";
import type { IndexedDatabase } from "./indexing.ts";
import { type MessageRow, messageByNid, searchedText } from "./message-rows.ts";

/** A document that matches, before its event has been read. */
interface Match {
  readonly eventNid: number;
  readonly position: number;
}

/** A room to look into: positions up to `upTo` may be in it. */
type Place = SearchedRoom & { readonly expression: string };

/** Positions from ?2 down to ?3. */
const matchingSql = `FROM messages
  WHERE messages MATCH ?1 AND rowid BETWEEN ${documentIdSql("?2")} AND ${documentIdSql("?3")}`;
const newestSql = `SELECT event_nid AS eventNid, ${positionSql} AS position ${matchingSql} ORDER BY rowid LIMIT ?4`;
const countSql = `SELECT count(*) AS total FROM (SELECT 1 ${matchingSql} LIMIT ?4)`;
/** Rooms that have anything to find, and their newest position. */
const roomsSql = `SELECT room_nid AS roomNid, last_position AS lastPosition
  FROM json_each(?) CROSS JOIN rooms ON rooms.room_nid = json_each.value CROSS JOIN room_summaries USING (room_nid)
  WHERE encryption IS NULL`;

/**
 * Rooms are looked into together, the index reading on in that which has the newest match: as many as make an expression
 * of so many characters.
 */
const maxExpressionChars = 20_000;
/** Matches are counted in so many rooms; those in further ones are taken to be as many. */
const countedPlaces = 50;

/** See `SearchIndex.find`. */
export function find(dbs: IndexedDatabase, query: IndexQuery): SearchHits {
  const { main, index } = dbs;
  main.run("BEGIN");
  index.run("BEGIN");
  try {
    const places = placesOf(main, query);
    const { matches, isAll } = newestMatches(index, places, query);
    const rows = matches.map(({ eventNid }) => messageByNid(main, eventNid));
    const hits = rows.map((row) => row && hitOf(main, row, query)).filter((hit) => hit !== undefined);
    const isCounted = isAll && matches.length <= query.countLimit && query.downTo < firstPosition;
    return {
      hits,
      reached: isAll ? undefined : matches.at(-1)?.position,
      count: isCounted ? certainOf(places, hits) : count(index, places, query),
    };
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
  { rooms, upTo, downTo, limit }: IndexQuery,
): { readonly matches: readonly Match[]; readonly isAll: boolean } {
  const ends = new Map(rooms.map((room) => [room.roomNid, room.upTo]));
  let newest: Match[] = [];
  let isAll = true;
  for (const group of groupsOf(places, ends)) {
    const oldest = newest.length < limit ? undefined : newest.at(-1)?.position;
    if (oldest !== undefined && group.upTo < oldest) return { matches: newest, isAll: false };
    const found = index.all<Match>(
      newestSql,
      group.expression,
      clamp(Math.min(group.upTo, upTo)),
      clamp(Math.max(downTo, oldest ?? firstPosition)),
      limit + 1,
    );
    if (oldest !== undefined || newest.length + found.length > limit) isAll = false;
    if (found.length === 0) continue;
    newest = [...newest, ...found].sort((a, b) => b.position - a.position).slice(0, limit);
  }
  return { matches: newest, isAll };
}

/** Rooms that can be read to their ends are looked into together, each other one by itself. */
function* groupsOf(
  places: readonly Place[],
  ends: ReadonlyMap<number, number>,
): Generator<{ readonly expression: string; readonly upTo: number }> {
  const isOpen = ({ roomNid }: Place) => (ends.get(roomNid) ?? 0) > lastPosition;
  let group: string[] = [];
  let chars = 0;
  let newest = firstPosition;
  for (const place of places.filter(isOpen)) {
    if (group.length === 0) newest = place.upTo;
    group.push(`(${place.expression})`);
    chars += place.expression.length;
    if (chars < maxExpressionChars) continue;
    yield { expression: group.join(" OR "), upTo: newest };
    group = [];
    chars = 0;
  }
  if (group.length > 0) yield { expression: group.join(" OR "), upTo: newest };
  for (const place of places) if (!isOpen(place)) yield place;
}

function hitOf(main: Connection, row: MessageRow, query: IndexQuery): SearchHit | undefined {
  const { eventNid, roomNid, position, redactedBy } = row;
  if (redactedBy !== null) return undefined;
  const score = query.scored ? scoreOf(searchedText(main, row)?.text ?? "", query.terms) : 0;
  return { eventNid, roomNid, position, score };
}

/** How many of all matches the searcher certainly may see. */
function certainOf(places: readonly Place[], hits: readonly SearchHit[]): number {
  const from = new Map(places.map((place) => [place.roomNid, place.memberFrom]));
  return hits.filter(({ roomNid, position }) => position >= (from.get(roomNid) ?? lastPosition)).length;
}

function count(index: Connection, places: readonly Place[], { countLimit }: IndexQuery): number {
  let total = 0;
  const counted = places.slice(0, countedPlaces);
  for (const { memberFrom, upTo, expression } of counted) {
    const left = countLimit - total;
    if (left <= 0) return total;
    const found = index.get<{ total: number }>(countSql, expression, clamp(upTo), clamp(memberFrom), left);
    total += found?.total ?? 0;
  }
  return Math.min(countLimit, Math.round((total * places.length) / Math.max(1, counted.length)));
}

function clamp(position: number): number {
  return Math.max(firstPosition, Math.min(position, lastPosition));
}
