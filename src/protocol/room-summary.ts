import { isRoomAlias, isRoomId } from "./identifiers.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "./json.ts";
import { parseMxcUri } from "./mxc-uri.ts";

/** What is kept of a room beside its state, and decided by that. */
export interface RoomFields {
  readonly name: string | null;
  /** Plain text. */
  readonly topic: string | null;
  readonly avatarUrl: string | null;
  readonly canonicalAlias: string | null;
  readonly roomType: string | null;
  /** The algorithm of an encrypted room. */
  readonly encryption: string | null;
  readonly joinRule: string;
  /** The rooms whose members a restricted room lets in. */
  readonly allowedRoomIds: readonly string[];
  readonly historyVisibility: string | null;
  readonly guestAccess: string | null;
  /** Who has made it. */
  readonly creator: string | null;
  /** Whether users of other servers can join it. */
  readonly isFederatable: boolean;
}

/** What a room tells of itself to those who look for rooms (client-server API, "PublishedRoomsChunk", "RoomSummary"). */
export interface RoomSummaryFields
  extends Omit<RoomFields, "historyVisibility" | "guestAccess" | "creator" | "isFederatable"> {
  readonly isWorldReadable: boolean;
  readonly guestCanJoin: boolean;
}

/** What a room without any of the state is. */
export const emptyRoomFields: RoomFields = {
  name: null,
  topic: null,
  avatarUrl: null,
  canonicalAlias: null,
  roomType: null,
  encryption: null,
  joinRule: "invite",
  allowedRoomIds: [],
  historyVisibility: null,
  guestAccess: null,
  creator: null,
  isFederatable: true,
};

/** As many as restricted joins look at. */
const maxAllowedRooms = 100;

const readers: Readonly<Record<string, (content: JsonObject, sender: string | null) => Partial<RoomFields>>> =
  {
    "m.room.create": ({ type, "m.federate": federate }, creator) => ({
      roomType: textOf(type),
      creator,
      isFederatable: federate !== false,
    }),
    "m.room.name": ({ name }) => ({ name: textOf(name) }),
    "m.room.topic": (content) => ({ topic: topicOf(content) }),
    "m.room.avatar": ({ url }) => ({ avatarUrl: typeof url === "string" && parseMxcUri(url) ? url : null }),
    "m.room.canonical_alias": ({ alias }) => ({
      canonicalAlias: typeof alias === "string" && isRoomAlias(alias) ? alias : null,
    }),
    "m.room.encryption": ({ algorithm }) => ({ encryption: textOf(algorithm) }),
    "m.room.join_rules": joinRulesOf,
    "m.room.history_visibility": ({ history_visibility: visibility }) => ({
      historyVisibility: textOf(visibility),
    }),
    "m.room.guest_access": ({ guest_access: access }) => ({ guestAccess: textOf(access) }),
  };

/** The fields that a state event with an empty state key decides; `undefined` when it decides none. */
export function roomFieldsOf(
  type: string,
  content: JsonObject,
  sender: string | null,
): Partial<RoomFields> | undefined {
  return Object.hasOwn(readers, type) ? readers[type]?.(content, sender) : undefined;
}

/** Whether an `m.space.child` event makes its room part of the space: `via` has to be a list of servers. */
export function isSpaceChild({ via }: JsonObject): boolean {
  return Array.isArray(via) && via.length > 0 && via.every((server) => typeof server === "string");
}

function textOf(value: JsonValue | undefined): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

/** Client-server API, "m.room.topic": `m.topic` goes before `topic`, which is for older clients. */
function topicOf(content: JsonObject): string | null {
  const { topic, "m.topic": rich } = content;
  const representations = isJsonObject(rich) ? rich["m.text"] : undefined;
  if (!Array.isArray(representations)) return textOf(topic);
  for (const representation of representations) {
    if (!isJsonObject(representation)) continue;
    const { body, mimetype = "text/plain" } = representation;
    if (mimetype === "text/plain") return textOf(body);
  }
  return null;
}

function joinRulesOf({ join_rule: rule, allow }: JsonObject): Partial<RoomFields> {
  const joinRule = textOf(rule) ?? emptyRoomFields.joinRule;
  const isRestricted = joinRule === "restricted" || joinRule === "knock_restricted";
  return { joinRule, allowedRoomIds: isRestricted && Array.isArray(allow) ? allowedRoomIds(allow) : [] };
}

function allowedRoomIds(allow: readonly JsonValue[]): string[] {
  return allow.slice(0, maxAllowedRooms).flatMap((condition) => {
    if (!isJsonObject(condition) || condition["type"] !== "m.room_membership") return [];
    const roomId = condition["room_id"];
    return typeof roomId === "string" && isRoomId(roomId) ? [roomId] : [];
  });
}
