import { createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import type { KeyObject } from "node:crypto";
import nacl from "tweetnacl";
import { decodeBase64, encodeBase64, encodeBase64Url } from "./base64.ts";
import { KeyError } from "./errors.ts";

/** What comes before the seed in the private key's structure (RFC 8410, section 7). */
const pkcs8Prefix = Buffer.from("302e020100300506032b657004220420", "hex");

const keyIdGrammar = /^ed25519:[A-Za-z0-9_]+$/;

/** Whether text is the ID of an Ed25519 key: the algorithm, a colon and the key's version (server-server API, "Retrieving server keys"). */
export function isEd25519KeyId(text: string): boolean {
  return keyIdGrammar.test(text);
}

/** A server's own key pair. The seed does not leave it. */
export class SigningKey {
  /** `ed25519:` and the key's version. */
  readonly keyId: string;
  /** The public key as unpadded Base64. */
  readonly publicKey: string;
  readonly #privateKey: KeyObject;

  /**
   * @param keyId `ed25519:` and the key's version
   * @param seed 32 bytes from a secure source
   * @throws KeyError if the ID or the seed is none
   */
  constructor(keyId: string, seed: Uint8Array) {
    if (!isEd25519KeyId(keyId)) {
      throw new KeyError("invalid-key-id", "A key ID is ed25519: and letters, digits or underscores.");
    }
    if (seed.length !== nacl.sign.seedLength) {
      throw new KeyError("invalid-seed", `The seed of a signing key has ${nacl.sign.seedLength} bytes.`);
    }
    this.keyId = keyId;
    this.#privateKey = createPrivateKey({
      key: Buffer.concat([pkcs8Prefix, seed]),
      format: "der",
      type: "pkcs8",
    });
    const publicKey = createPublicKey(this.#privateKey).export({ format: "der", type: "spki" });
    // The key itself is what such a structure ends with (RFC 8410, section 4).
    this.publicKey = encodeBase64(publicKey.subarray(-nacl.sign.publicKeyLength));
  }

  /** Signs UTF-8 text or bytes. @returns the signature as unpadded Base64 */
  sign(message: string | Uint8Array): string {
    return encodeBase64(sign(null, bytesOf(message), this.#privateKey));
  }
}

/** A public key of some server, ready to verify with. Making one takes longer than looking it up: keep it. */
export class VerifyKey {
  readonly keyId: string;
  /** As unpadded Base64. */
  readonly publicKey: string;
  readonly #key: KeyObject;

  /**
   * @param keyId `ed25519:` and the key's version
   * @param publicKey Base64 of 32 bytes
   * @throws KeyError if the ID or the key is none
   */
  constructor(keyId: string, publicKey: string) {
    if (!keyId.startsWith("ed25519:")) {
      throw new KeyError("invalid-key-id", "Only ed25519 keys can verify signatures.");
    }
    const bytes = decodeBase64(publicKey);
    if (bytes === undefined || bytes.length !== nacl.sign.publicKeyLength) {
      throw new KeyError("invalid-public-key", "An Ed25519 public key is the Base64 of 32 bytes.");
    }
    if (!isCanonicalPoint(bytes) || isSmallOrderPoint(bytes)) {
      throw new KeyError("invalid-public-key", "The Ed25519 public key is one that proves nothing.");
    }
    this.keyId = keyId;
    this.publicKey = encodeBase64(bytes);
    this.#key = createPublicKey({
      key: { kty: "OKP", crv: "Ed25519", x: encodeBase64Url(bytes) },
      format: "jwk",
    });
  }

  /** Whether Base64 is this key's signature of UTF-8 text or bytes. */
  verify(message: string | Uint8Array, signature: string): boolean {
    const bytes = decodeBase64(signature);
    if (bytes === undefined || bytes.length !== nacl.sign.signatureLength) return false;
    return !isSmallOrderPoint(bytes.subarray(0, 32)) && verify(null, bytesOf(message), this.#key, bytes);
  }
}

function bytesOf(message: string | Uint8Array): Uint8Array {
  return typeof message === "string" ? Buffer.from(message) : message;
}

/*
 * Libraries disagree on signatures that no honest signer makes. tweetnacl takes a signature whose second half is not below
 * the group's order, and points of small order, with which one signature can fit many messages; node:crypto refuses the
 * former and, depending on its version, some of the latter. libsodium, on which most servers run, refuses all of these,
 * and so does this file, whatever node:crypto says.
 */

/** The points of small order: their second coordinate, in hexadecimal, without the sign bit. */
const smallOrderPoints: ReadonlySet<string> = new Set([
  "00".repeat(32),
  `01${"00".repeat(31)}`,
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  `ec${"ff".repeat(30)}7f`,
  // The same as 0 and 1, written as 2^255 - 19 and 2^255 - 18.
  `ed${"ff".repeat(30)}7f`,
  `ee${"ff".repeat(30)}7f`,
]);

function isSmallOrderPoint(point: Uint8Array): boolean {
  const coordinate = Buffer.from(point);
  coordinate[31] = (coordinate[31] ?? 0) & 0x7f;
  return smallOrderPoints.has(coordinate.toString("hex"));
}

/** Whether a point's coordinate is below 2^255 - 19, as it is if it is written in the one right way. */
function isCanonicalPoint(point: Uint8Array): boolean {
  const [lowest = 0] = point;
  const highest = (point[31] ?? 0) & 0x7f;
  return lowest < 0xed || highest !== 0x7f || point.subarray(1, 31).some((byte) => byte !== 0xff);
}
