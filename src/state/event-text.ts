import type { Pdu } from "../protocol/pdu.ts";
import { stickyKey } from "../protocol/sticky.ts";
import { parseStrictJson } from "../protocol/strict-json.ts";

/** The keys of a PDU that clients see as they are; all others are for servers. */
const commonKeys = new Set([
  "content",
  stickyKey,
  "origin_server_ts",
  "redacts",
  "sender",
  "state_key",
  "type",
]);

/** Whether a PDU's key is part of `StoredEvent.common`. */
export function isCommonKey(key: string): boolean {
  return commonKeys.has(key);
}

/** Whether a PDU's key is part of `StoredEvent.federation`; `unsigned` is made anew by each server. */
export function isFederationKey(key: string): boolean {
  return !commonKeys.has(key) && key !== "unsigned";
}

/** The PDU of a stored event. */
export function pduOf(
  stored: { readonly common: string; readonly federation: string },
  strict: boolean,
): Pdu {
  const text = `{${stored.common},${stored.federation}}`;
  // Room versions before 6 may hold numbers that only the strict parser keeps exact.
  return (strict ? JSON.parse(text) : parseStrictJson(text)) as Pdu;
}
