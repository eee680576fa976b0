import { isJsonObject } from "./json.ts";
import type { JsonObject } from "./json.ts";
import type { Pdu } from "./pdu.ts";
import type { RoomVersion } from "./room-versions.ts";

/** What survives redaction: the event's own keys, and for each event type the keys of its content. */
interface RedactionRules {
  readonly keys: ReadonlySet<string>;
  readonly contentKeys: Readonly<Record<string, readonly string[]>>;
  /** v11: `content` of `m.room.create` is kept whole. */
  readonly keepsCreateContent: boolean;
  /** v11: `signed` in `third_party_invite` of `m.room.member` is kept. */
  readonly keepsSignedInvite: boolean;
}

const currentKeys = [
  "event_id",
  "type",
  "room_id",
  "sender",
  "state_key",
  "content",
  "hashes",
  "signatures",
  "depth",
  "prev_events",
  "auth_events",
  "origin_server_ts",
];

// Room version 6, "Redactions".
const v6: RedactionRules = {
  keys: new Set([...currentKeys, "prev_state", "origin", "membership"]),
  contentKeys: {
    "m.room.member": ["membership"],
    "m.room.create": ["creator"],
    "m.room.join_rules": ["join_rule"],
    "m.room.power_levels": [
      "ban",
      "events",
      "events_default",
      "kick",
      "redact",
      "state_default",
      "users",
      "users_default",
    ],
    "m.room.history_visibility": ["history_visibility"],
  },
  keepsCreateContent: false,
  keepsSignedInvite: false,
};

// Room version 1, "Redactions": as version 6, and the aliases of `m.room.aliases`.
const v1: RedactionRules = { ...v6, contentKeys: { ...v6.contentKeys, "m.room.aliases": ["aliases"] } };

// Room version 8, "Redactions": `m.room.join_rules` keeps `allow`.
const v8: RedactionRules = {
  ...v6,
  contentKeys: { ...v6.contentKeys, "m.room.join_rules": ["join_rule", "allow"] },
};

// Room version 9, "Redactions": `m.room.member` keeps `join_authorised_via_users_server`.
const v9: RedactionRules = {
  ...v8,
  contentKeys: { ...v8.contentKeys, "m.room.member": ["membership", "join_authorised_via_users_server"] },
};

// Room version 11, "Redactions".
const v11: RedactionRules = {
  keys: new Set(currentKeys),
  contentKeys: {
    ...v9.contentKeys,
    "m.room.power_levels": [...(v9.contentKeys["m.room.power_levels"] ?? []), "invite"],
    "m.room.redaction": ["redacts"],
  },
  keepsCreateContent: true,
  keepsSignedInvite: true,
};

const rulesOf: Readonly<Record<RoomVersion["redaction"], RedactionRules>> = { v1, v6, v8, v9, v11 };

/**
 * The redacted form of an event (room versions, "Redactions"). The input is not changed; what is kept is shared with it.
 * `unsigned` is dropped.
 */
export function redact(version: RoomVersion, pdu: Pdu): Pdu {
  const redacted: Record<string, unknown> = {};
  for (const key of Object.keys(pdu)) {
    if (keepsKey(version, key)) redacted[key] = pdu[key];
  }
  redacted["content"] = redactContent(version, pdu.type, pdu.content);
  // Every key that a PDU must have is kept.
  return redacted as Pdu;
}

/** Whether redaction keeps a key at the top level of an event. */
export function keepsKey(version: RoomVersion, key: string): boolean {
  return rulesOf[version.redaction].keys.has(key);
}

/** The redacted form of an event's content. The input is not changed; what is kept is shared with it. */
export function redactContent(version: RoomVersion, type: unknown, content: unknown): JsonObject {
  const rules = rulesOf[version.redaction];
  const redacted: JsonObject = {};
  if (typeof type !== "string" || !isJsonObject(content)) return redacted;
  if (type === "m.room.create" && rules.keepsCreateContent) return content;
  const kept = Object.hasOwn(rules.contentKeys, type) ? rules.contentKeys[type] : undefined;
  if (kept === undefined) return redacted;
  for (const key of kept) {
    const value = content[key];
    if (value !== undefined) redacted[key] = value;
  }
  if (type === "m.room.member" && rules.keepsSignedInvite) keepSignedInvite(content, redacted);
  return redacted;
}

function keepSignedInvite(content: JsonObject, redacted: JsonObject): void {
  const invite = content["third_party_invite"];
  if (!isJsonObject(invite)) return;
  const signed = invite["signed"];
  redacted["third_party_invite"] = signed === undefined ? {} : { signed };
}
