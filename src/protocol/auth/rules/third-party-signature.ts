import { VerifyKey } from "../../ed25519.ts";
import { KeyError } from "../../errors.ts";
import { isJsonObject, type JsonObject } from "../../json.ts";
import { signedJsonText } from "../../json-signing.ts";

/**
 * An invite has one or two keys, and one signature. More are tried, since the rule says any, but not as many as fit into
 * an event: each pair costs a verification.
 */
const maxKeys = 16;
const maxSignatures = 16;

/**
 * Whether any signature of a `signed` object is by any public key of an `m.room.third_party_invite`: its `public_key` and
 * those in `public_keys` (server-server API, "Verifying the invite").
 * @throws CanonicalJsonError for an object that has no canonical JSON
 */
export function isSignedByInviteKey(signed: JsonObject, invite: JsonObject): boolean {
  const keys = keysOf(invite);
  const signatures = signaturesOf(signed);
  if (keys.length === 0 || signatures.length === 0) return false;
  const message = Buffer.from(signedJsonText(signed));
  return keys.some((key) => signatures.some((signature) => key.verify(message, signature)));
}

function keysOf(invite: JsonObject): VerifyKey[] {
  const listed = invite["public_keys"];
  const candidates = [invite["public_key"]];
  for (const entry of Array.isArray(listed) ? listed : []) {
    if (isJsonObject(entry)) candidates.push(entry["public_key"]);
  }
  const publicKeys = new Set(candidates.filter((key) => typeof key === "string"));
  return [...publicKeys].slice(0, maxKeys).flatMap(verifyKeyOf);
}

/** The key, or nothing for one with which nothing can be verified. Its ID is not known, and does not matter. */
function verifyKeyOf(publicKey: string): VerifyKey[] {
  try {
    return [new VerifyKey("ed25519:invite", publicKey)];
  } catch (error) {
    if (error instanceof KeyError) return [];
    throw error;
  }
}

function signaturesOf(signed: JsonObject): string[] {
  const found: string[] = [];
  const byEntity = signed["signatures"];
  if (!isJsonObject(byEntity)) return found;
  for (const byKey of Object.values(byEntity)) {
    if (!isJsonObject(byKey)) continue;
    for (const [keyId, signature] of Object.entries(byKey)) {
      if (found.length === maxSignatures) return found;
      if (keyId.startsWith("ed25519:") && typeof signature === "string") found.push(signature);
    }
  }
  return found;
}
