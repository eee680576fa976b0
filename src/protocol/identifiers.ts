import { isServerName } from "./server-name.ts";

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

export type ServerName = Branded<"ServerName">;
export type UserId = Branded<"UserId">;
export type RoomId = Branded<"RoomId">;
export type RoomAlias = Branded<"RoomAlias">;
export type EventId = Branded<"EventId">;

/** No user ID, room ID, room alias or event ID is longer than this in UTF-8 (appendices, "Identifier Grammar"). */
export const maxIdentifierBytes = 255;

/** Whether text has at most 255 bytes in UTF-8. */
export function fitsIdentifierLimit(text: string): boolean {
  // A UTF-16 unit is one to three bytes of UTF-8, so that most identifiers need no counting.
  if (text.length * 3 <= maxIdentifierBytes) return true;
  return text.length <= maxIdentifierBytes && Buffer.byteLength(text) <= maxIdentifierBytes;
}

/**
 * Whether text is a user ID as events may carry it, historical ones included: the localpart may be empty and hold any code
 * point but `:` and NUL (appendices, "Historical User IDs").
 */
export function isUserId(text: string): text is UserId {
  return text.startsWith("@") && hasLocalpartAndDomain(text);
}

/** The user ID that events may carry, or `undefined`. */
export function parseUserId(text: string): UserId | undefined {
  return isUserId(text) ? text : undefined;
}

const localpartGrammar = /^[a-z0-9._=/+-]+$/;

/** Whether text is the localpart of a user ID that may be registered today (appendices, "User Identifiers"). */
export function isNewLocalpart(text: string): boolean {
  return localpartGrammar.test(text);
}

/** A user ID that may be registered today, or `undefined`. */
export function parseNewUserId(text: string): UserId | undefined {
  return isUserId(text) && isNewLocalpart(localpart(text)) ? text : undefined;
}

/**
 * Whether a user ID may be passed to clients outside events: its localpart is not empty and within U+0021 to U+007E
 * (appendices, "Historical User IDs").
 */
export function isCompliantUserId(userId: UserId): boolean {
  return /^[\x21-\x7e]+$/.test(localpart(userId));
}

/** The user ID of a localpart on a server, or `undefined` when they do not make one. */
export function makeUserId(localpartText: string, serverName: ServerName): UserId | undefined {
  return parseUserId(`@${localpartText}:${serverName}`);
}

/**
 * Maps any text to the localpart of a user ID (appendices, "Mapping from other character sets").
 * @param options.distinguishCase keeps `A` and `a` apart, as a bridge may need it
 */
export function mapToLocalpart(text: string, options: { readonly distinguishCase: boolean }): string {
  const escaped = options.distinguishCase ? text.replaceAll(/[A-Z_]/g, "_$&") : text;
  const lowered = escaped.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
  return lowered.replaceAll(/[^a-z0-9._/+-]+/g, (run) =>
    Buffer.from(run).toString("hex").replaceAll(/../g, "=$&"),
  );
}

const hashGrammar = /^[A-Za-z0-9_-]{43}$/;

/**
 * Whether text is a room ID of any room version: `!opaque:domain`, or from version 12 on `!` and the create event's
 * hash (appendices, "Room IDs").
 */
export function isRoomId(text: string): text is RoomId {
  if (!text.startsWith("!")) return false;
  return text.includes(":") ? hasLocalpartAndDomain(text) : isHashRoomId(text);
}

/** Whether text is a room ID without a domain (room version 12). */
export function isHashRoomId(text: string): text is RoomId {
  return text.startsWith("!") && hashGrammar.test(text.slice(1));
}

/** The room ID, or `undefined`. */
export function parseRoomId(text: string): RoomId | undefined {
  return isRoomId(text) ? text : undefined;
}

/** Whether text is a room alias (appendices, "Room Aliases"). */
export function isRoomAlias(text: string): text is RoomAlias {
  return text.startsWith("#") && hasLocalpartAndDomain(text);
}

/** The room alias, or `undefined`. */
export function parseRoomAlias(text: string): RoomAlias | undefined {
  return isRoomAlias(text) ? text : undefined;
}

/**
 * Whether text can be the event ID of some room version: `$` and one or more code points but NUL, at most 255 bytes
 * (appendices, "Event IDs").
 */
export function isEventId(text: string): text is EventId {
  return (
    text.startsWith("$") &&
    text.length > 1 &&
    !text.includes("\0") &&
    text.isWellFormed() &&
    fitsIdentifierLimit(text)
  );
}

/** The event ID, or `undefined`. */
export function parseEventId(text: string): EventId | undefined {
  return isEventId(text) ? text : undefined;
}

/** What stands between the sigil and the first `:`. */
export function localpart(id: UserId | RoomAlias): string {
  return id.slice(1, id.indexOf(":"));
}

/** The server that a user or an alias belongs to. */
export function serverNameOf(id: UserId | RoomAlias): ServerName {
  return id.slice(id.indexOf(":") + 1) as ServerName;
}

/** The domain of a room or event ID that has one (rooms before version 12, events of versions 1 and 2). */
export function domainOf(id: RoomId | EventId): ServerName | undefined {
  const colon = id.indexOf(":");
  if (colon === -1) return undefined;
  const domain = id.slice(colon + 1);
  return isServerName(domain) ? domain : undefined;
}

const opaqueGrammar = /^[0-9A-Za-z._~-]{1,255}$/;

/** Appendices, "Opaque Identifiers": transaction IDs, session IDs and the like. */
export function isOpaqueIdentifier(text: string): boolean {
  return opaqueGrammar.test(text);
}

const namespacedGrammar = /^[a-z][a-z0-9_.-]{0,254}$/;

/** Appendices, "Common Namespaced Identifier Grammar". Those that start with `m.` are the specification's own. */
export function isNamespacedIdentifier(text: string): boolean {
  return namespacedGrammar.test(text);
}

/** `&localpart:domain`, whatever the sigil; no lone surrogates, no NUL, at most 255 bytes. */
function hasLocalpartAndDomain(id: string): boolean {
  const colon = id.indexOf(":");
  if (colon === -1 || !fitsIdentifierLimit(id) || !isServerName(id.slice(colon + 1))) return false;
  const nul = id.indexOf("\0");
  return nul === -1 && id.isWellFormed();
}
