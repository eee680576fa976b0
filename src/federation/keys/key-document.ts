import { type SigningKey, VerifyKey } from "../../protocol/ed25519.ts";
import { KeyError } from "../../protocol/errors.ts";
import { isServerName } from "../../protocol/server-name.ts";
import type { ServerName } from "../../protocol/identifiers.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../protocol/json.ts";
import { isSignedJson, signJson } from "../../protocol/json-signing.ts";

/** A key as a document tells it. */
export interface DocumentedKey {
  readonly key: VerifyKey;
  /** Until when signatures by the key count, in milliseconds since the epoch. */
  readonly validUntilTs: number;
}

/** What a server says of its keys, and has signed itself (server-server API, "Publishing Keys"). */
export interface KeyDocument {
  readonly serverName: ServerName;
  readonly keys: readonly DocumentedKey[];
  /** As it was received. */
  readonly json: JsonObject;
}

/** A key that this server has given up. */
export interface OldKey {
  readonly keyId: string;
  /** Base64. */
  readonly publicKey: string;
  readonly expiredTs: number;
}

/** More keys than this in one document are read no further. */
const maxKeysOfDocument = 64;

/**
 * Reads a document of another server.
 * @param serverName whose it has to be
 * @param latestTs a key counts no longer than this, whatever the document says: a server whose keys were stolen could not
 * take them back otherwise
 * @returns `undefined` for anything but a document that one of its own current keys has signed
 */
export function readKeyDocument(
  json: JsonValue | undefined,
  serverName: ServerName,
  latestTs: number,
): KeyDocument | undefined {
  if (!isJsonObject(json) || json["server_name"] !== serverName) return undefined;
  const validUntilTs = json["valid_until_ts"];
  if (typeof validUntilTs !== "number" || !Number.isSafeInteger(validUntilTs)) return undefined;
  const current = keysIn(json["verify_keys"], () => Math.min(validUntilTs, latestTs));
  const signing = current.map(({ key }) => key);
  if (!signing.some((key) => isSignedJson(json, serverName, [key]))) return undefined;
  const old = keysIn(json["old_verify_keys"], ({ expired_ts: expiredTs }) =>
    typeof expiredTs === "number" && Number.isSafeInteger(expiredTs) ? expiredTs : undefined,
  );
  return { serverName, keys: [...current, ...old], json };
}

function keysIn(
  value: JsonValue | undefined,
  validUntil: (entry: JsonObject) => number | undefined,
): DocumentedKey[] {
  if (!isJsonObject(value)) return [];
  const found: DocumentedKey[] = [];
  for (const [keyId, entry] of Object.entries(value).slice(0, maxKeysOfDocument)) {
    if (!isJsonObject(entry) || typeof entry["key"] !== "string") continue;
    const validUntilTs = validUntil(entry);
    const key = verifyKeyOf(keyId, entry["key"]);
    if (key && validUntilTs !== undefined) found.push({ key, validUntilTs });
  }
  return found;
}

/** `undefined` for a key of an algorithm that is not known, or that is none. */
export function verifyKeyOf(keyId: string, publicKey: string): VerifyKey | undefined {
  try {
    return new VerifyKey(keyId, publicKey);
  } catch (error) {
    if (error instanceof KeyError) return undefined;
    throw error;
  }
}

/** What this server says of its own keys. */
export function ownKeyDocument(
  serverName: ServerName,
  key: SigningKey,
  oldKeys: readonly OldKey[],
  validUntilTs: number,
): JsonObject {
  const old = oldKeys.map(({ keyId, publicKey, expiredTs }) => [
    keyId,
    { key: publicKey, expired_ts: expiredTs },
  ]);
  const document = {
    server_name: serverName,
    verify_keys: { [key.keyId]: { key: key.publicKey } },
    old_verify_keys: Object.fromEntries(old) as JsonObject,
    valid_until_ts: validUntilTs,
  };
  return signJson(document, serverName, key);
}

/** The server whose document this claims to be. */
export function serverOfDocument(json: JsonValue): ServerName | undefined {
  const name = isJsonObject(json) ? json["server_name"] : undefined;
  return typeof name === "string" && isServerName(name) ? name : undefined;
}
