import { createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import type { KeyObject } from "node:crypto";
import nacl from "tweetnacl";
import { decodeBase64, encodeBase64, encodeBase64Url } from "./base64.ts";
import { KeyError } from "./errors.ts";

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
    const { publicKey } = nacl.sign.keyPair.fromSeed(seed);
    this.keyId = keyId;
    this.publicKey = encodeBase64(publicKey);
    this.#privateKey = createPrivateKey({
      key: { kty: "OKP", crv: "Ed25519", d: encodeBase64Url(seed), x: encodeBase64Url(publicKey) },
      format: "jwk",
    });
  }

  /** Signs UTF-8 text or bytes. @returns the signature as unpadded Base64 */
  sign(message: string | Uint8Array): string {
    return encodeBase64(sign(null, bytesOf(message), this.#privateKey));
  }
}

/** A public key of some server, ready to verify with. */
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
    if (bytes === undefined || bytes.length !== 32) {
      throw new KeyError("invalid-public-key", "An Ed25519 public key is the Base64 of 32 bytes.");
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
    return bytes !== undefined && bytes.length === 64 && verify(null, bytesOf(message), this.#key, bytes);
  }
}

function bytesOf(message: string | Uint8Array): Uint8Array {
  return typeof message === "string" ? Buffer.from(message) : message;
}
