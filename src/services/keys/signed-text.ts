import { isJsonObject, type JsonObject } from "../../protocol/json.ts";
import { signedJsonText } from "../../protocol/json-signing.ts";
import { CanonicalJsonError } from "../../protocol/errors.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { SignedText } from "../../storage/device-keys.ts";

/**
 * What a signature of an object covers.
 * @throws MatrixError M_BAD_JSON for an object that nobody could sign.
 */
export function textToSign(object: JsonObject): string {
  try {
    return signedJsonText(object);
  } catch (error) {
    if (!(error instanceof CanonicalJsonError)) throw error;
    throw new MatrixError("M_BAD_JSON", `A signed object has no canonical JSON: ${error.message}`);
  }
}

/**
 * A signed object as it is stored. Of its signatures only the owner's are kept: "servers will only allow users to see"
 * those (client-server API, "Key and signature security"), and the owner cannot add others'.
 * @throws MatrixError M_BAD_JSON, M_TOO_LARGE.
 */
export function storedText(object: JsonObject, owner: string, maxBytes: number): SignedText {
  const signed = textToSign(object);
  const signatures = JSON.stringify(signaturesBy(object, owner));
  if (Buffer.byteLength(signed) + Buffer.byteLength(signatures) > maxBytes) {
    throw new MatrixError("M_TOO_LARGE", `A key with its signatures may have at most ${maxBytes} bytes`);
  }
  return { signed, signatures };
}

/** Somebody's signatures of an object, by key ID. */
export function signaturesBy(object: JsonObject, userId: string): Readonly<Record<string, string>> {
  const all = object["signatures"];
  const own = isJsonObject(all) && Object.hasOwn(all, userId) ? all[userId] : undefined;
  if (!isJsonObject(own)) return {};
  const entries = Object.entries(own).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string",
  );
  return Object.fromEntries(entries);
}
