import { encodeCanonicalJson } from "./canonical-json.ts";
import type { SigningKey, VerifyKey } from "./ed25519.ts";
import { isJsonObject } from "./json.ts";
import type { JsonObject } from "./json.ts";

/**
 * What a signature of a JSON object covers: its canonical JSON without `signatures` and `unsigned`
 * (appendices, "Signing Details"). Numbers that are not integers are let through, since other servers sign them.
 * @throws CanonicalJsonError for an object that has no canonical JSON
 */
export function signedJsonText(object: JsonObject): string {
  const { signatures: _signatures, unsigned: _unsigned, ...signed } = object;
  return encodeCanonicalJson(signed, { strict: false });
}

/**
 * A signed copy of a JSON object; signatures that it already has are kept (appendices, "Signing Details").
 * @param name who signs: a server name, or a user ID for cross-signing
 * @throws CanonicalJsonError for an object that has no canonical JSON
 */
export function signJson<T extends JsonObject>(
  object: T,
  name: string,
  key: SigningKey,
): T & { signatures: JsonObject } {
  const signature = key.sign(signedJsonText(object));
  return { ...object, signatures: withSignature(object["signatures"], name, key.keyId, signature) };
}

/**
 * Whether a JSON object holds a signature of an entity by one of its keys, all signatures by these keys being right
 * (appendices, "Checking for a Signature").
 * @param name whose signature is asked for
 * @param keys the entity's keys that are known and may be used
 * @throws CanonicalJsonError for an object that has no canonical JSON
 */
export function isSignedJson(object: JsonObject, name: string, keys: readonly VerifyKey[]): boolean {
  return hasValidSignatures(object["signatures"], name, keys, () => Buffer.from(signedJsonText(object)));
}

/** `signatures` with one more; the input is not changed. */
export function withSignature(
  signatures: unknown,
  name: string,
  keyId: string,
  signature: string,
): JsonObject {
  const all = isJsonObject(signatures) ? signatures : {};
  const own = Object.hasOwn(all, name) ? all[name] : undefined;
  return { ...all, [name]: { ...(isJsonObject(own) ? own : {}), [keyId]: signature } };
}

/** The IDs of the keys with which an entity is said to have signed. */
export function signingKeyIds(signatures: unknown, name: string): string[] {
  const own = isJsonObject(signatures) && Object.hasOwn(signatures, name) ? signatures[name] : undefined;
  return isJsonObject(own) ? Object.keys(own) : [];
}

/** Whether at least one of the keys has signed, and none of those that did has signed wrongly. */
export function hasValidSignatures(
  signatures: unknown,
  name: string,
  keys: readonly VerifyKey[],
  signedBytes: () => Uint8Array,
): boolean {
  const made = signaturesBy(signatures, name, keys);
  if (made.length === 0) return false;
  const message = signedBytes();
  return made.every(({ key, signature }) => key.verify(message, signature));
}

/** The signatures that an entity is said to have made with some keys; all of them have to be right. */
export function signaturesBy(
  signatures: unknown,
  name: string,
  keys: readonly VerifyKey[],
): { readonly key: VerifyKey; readonly signature: string }[] {
  const own = isJsonObject(signatures) && Object.hasOwn(signatures, name) ? signatures[name] : undefined;
  if (!isJsonObject(own)) return [];
  return keys
    .filter((key) => Object.hasOwn(own, key.keyId))
    .map((key) => {
      const signature = own[key.keyId];
      // No signature is empty: what is none is wrong.
      return { key, signature: typeof signature === "string" ? signature : "" };
    });
}
