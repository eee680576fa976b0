import { decodeBase64 } from "../../base64.ts";
import { VerifyKey } from "../../ed25519.ts";
import { isJsonObject, type JsonObject } from "../../json.ts";
import { signedJsonText } from "../../json-signing.ts";

/**
 * An invite has one or two keys, and one signature. More are tried, since the rule says any, but not as many as fit into
 * an event: each pair costs a verification.
 */
const maxKeys = 16;
const maxSignatures = 16;

interface Signature {
  readonly keyId: string;
  readonly signature: string;
}

/**
 * Whether any signature of a `signed` object is by any public key of an `m.room.third_party_invite`: its `public_key` and
 * those in `public_keys` (server-server API, "Verifying the invite").
 * @throws CanonicalJsonError for an object that has no canonical JSON
 */
export function isSignedByInviteKey(signed: JsonObject, invite: JsonObject): boolean {
  const keys = publicKeysOf(invite);
  const signatures = signaturesOf(signed);
  if (keys.length === 0 || signatures.length === 0) return false;
  const message = Buffer.from(signedJsonText(signed));
  return keys.some((publicKey) =>
    signatures.some(({ keyId, signature }) => new VerifyKey(keyId, publicKey).verify(message, signature)),
  );
}

function publicKeysOf(invite: JsonObject): string[] {
  const listed = invite["public_keys"];
  const candidates = [invite["public_key"]];
  for (const entry of Array.isArray(listed) ? listed : []) {
    if (isJsonObject(entry)) candidates.push(entry["public_key"]);
  }
  const keys = candidates.filter((key) => typeof key === "string").filter(isPublicKey);
  return [...new Set(keys)].slice(0, maxKeys);
}

function isPublicKey(key: string): boolean {
  return decodeBase64(key)?.length === 32;
}

function signaturesOf(signed: JsonObject): Signature[] {
  const found: Signature[] = [];
  const byEntity = signed["signatures"];
  if (!isJsonObject(byEntity)) return found;
  for (const byKey of Object.values(byEntity)) {
    if (!isJsonObject(byKey)) continue;
    for (const [keyId, signature] of Object.entries(byKey)) {
      if (found.length === maxSignatures) return found;
      if (keyId.startsWith("ed25519:") && typeof signature === "string") found.push({ keyId, signature });
    }
  }
  return found;
}
