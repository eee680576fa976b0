import { isEventId, isRoomAlias, isRoomId, isUserId } from "./identifiers.ts";
import type { EventId, RoomAlias, RoomId, ServerName, UserId } from "./identifiers.ts";
import { isServerName } from "./server-name.ts";

/** What a `matrix:` URI or a matrix.to link refers to (appendices, "URIs"). */
export interface MatrixLink {
  readonly id: UserId | RoomId | RoomAlias;
  /** An event in the room of `id`. */
  readonly eventId?: EventId | undefined;
  /** Servers through which the room can be found. */
  readonly via: readonly ServerName[];
  readonly action?: "join" | "chat" | undefined;
}

const typeOfSigil: Readonly<Record<string, string>> = { "#": "r", "!": "roomid", "@": "u" };
// `room` and `user` were used before the format was settled.
const sigilOfType: Readonly<Record<string, string>> = { r: "#", room: "#", roomid: "!", u: "@", user: "@" };
const matrixTo = "https://matrix.to/#/";

/** Reads a `matrix:` URI (appendices, "Matrix URI scheme"), or gives `undefined` for text that is not one. */
export function parseMatrixUri(uri: string): MatrixLink | undefined {
  const match = /^matrix:(?:\/\/[^/?#]*\/)?([^?#]+)(?:\?([^#]*))?(?:#.*)?$/i.exec(uri);
  if (match === null) return undefined;
  const [type = "", id, eventType, eventPart, ...rest] = (match[1] ?? "").split("/").map(decode);
  const sigil = Object.hasOwn(sigilOfType, type) ? sigilOfType[type] : undefined;
  if (sigil === undefined || id === undefined || rest.length > 0) return undefined;
  if (eventType === undefined) return makeLink(`${sigil}${id}`, undefined, match[2]);
  if (eventPart === undefined || (eventType !== "e" && eventType !== "event")) return undefined;
  return makeLink(`${sigil}${id}`, `$${eventPart}`, match[2]);
}

/** Writes a `matrix:` URI. */
export function formatMatrixUri(link: MatrixLink): string {
  const entity = `${typeOfSigil[link.id[0] ?? ""]}/${encodeSegment(link.id.slice(1))}`;
  const event = link.eventId === undefined ? "" : `/e/${encodeSegment(link.eventId.slice(1))}`;
  const query = formatQuery([
    ...link.via.map((server) => ["via", server]),
    ...(link.action ? [["action", link.action]] : []),
  ]);
  return `matrix:${entity}${event}${query}`;
}

/** Reads a matrix.to link (appendices, "matrix.to navigation"), or gives `undefined` for text that is not one. */
export function parseMatrixToLink(uri: string): MatrixLink | undefined {
  if (!uri.startsWith(matrixTo)) return undefined;
  const [path, query] = splitOnce(uri.slice(matrixTo.length), "?");
  const [idPart, eventPart] = splitOnce(path, "/");
  const id = decode(idPart);
  if (id === undefined || eventPart === undefined)
    return id === undefined ? undefined : makeLink(id, undefined, query);
  const eventId = decode(eventPart);
  return eventId === undefined ? undefined : makeLink(id, eventId, query);
}

/** Writes a matrix.to link, which has no actions. */
export function formatMatrixToLink(link: MatrixLink): string {
  const event = link.eventId === undefined ? "" : `/${encodeURIComponent(link.eventId)}`;
  const query = formatQuery(link.via.map((server) => ["via", server]));
  return `${matrixTo}${encodeURIComponent(link.id)}${event}${query}`;
}

function makeLink(
  id: string,
  eventId: string | undefined,
  query: string | undefined,
): MatrixLink | undefined {
  const isRoom = isRoomId(id) || isRoomAlias(id);
  if (!isRoom && !isUserId(id)) return undefined;
  if (eventId !== undefined && !(isRoom && isEventId(eventId))) return undefined;
  const parameters = new URLSearchParams(query);
  const action = parameters.get("action");
  return {
    id,
    eventId,
    via: parameters.getAll("via").filter(isServerName),
    action: action === (isRoom ? "join" : "chat") ? action : undefined,
  };
}

function formatQuery(parameters: readonly string[][]): string {
  if (parameters.length === 0) return "";
  return `?${parameters.map((pair) => pair.map(encodeSegment).join("=")).join("&")}`;
}

/** Percent-encoding that leaves what a path may hold (RFC 3986, `pchar`) as it is. */
function encodeSegment(text: string): string {
  return encodeURIComponent(text).replaceAll("%3A", ":").replaceAll("%40", "@").replaceAll("%24", "$");
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const index = text.indexOf(separator);
  return index === -1 ? [text, undefined] : [text.slice(0, index), text.slice(index + 1)];
}
