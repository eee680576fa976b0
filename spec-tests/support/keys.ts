import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { canonical, unpadded } from "./canonical-json.ts";
import type { TestClient } from "./client.ts";

type Json = Record<string, unknown>;

/** An Ed25519 key pair of a client's, or of another server's. It shares no code with the server, so that no fault can be in both. */
export class TestKey {
  /** Unpadded Base64. */
  readonly publicKey: string;
  readonly #privateKey: KeyObject;

  constructor() {
    const { publicKey, privateKey } = generateKeyPairSync("ed25519");
    this.publicKey = unpadded(publicKey.export({ format: "der", type: "spki" }).subarray(-32));
    this.#privateKey = privateKey;
  }

  signature(text: string): string {
    return unpadded(sign(null, Buffer.from(text), this.#privateKey));
  }

  /** The object with one more signature by a user, or a server. */
  signed<T extends Json>(
    object: T,
    userId: string,
    keyId = `ed25519:${this.publicKey}`,
  ): T & { signatures: Json } {
    const { signatures = {}, unsigned: _unsigned, ...covered } = object;
    const signature = this.signature(canonical(covered));
    const all = signatures as Record<string, Json>;
    return { ...object, signatures: { ...all, [userId]: { ...all[userId], [keyId]: signature } } };
  }
}

/** What a device publishes. */
export interface TestDevice {
  readonly key: TestKey;
  readonly deviceKeys: Json & { keys: Record<string, string>; signatures: Json };
  /** A new signed one-time key, or a fallback key. */
  oneTimeKey(isFallback?: boolean): Json;
}

/** Identity keys for a client's device; nothing is uploaded. */
export function makeDevice({ userId, deviceId }: Pick<TestClient, "userId" | "deviceId">): TestDevice {
  const key = new TestKey();
  const deviceKeys = {
    user_id: userId,
    device_id: deviceId,
    algorithms: ["m.olm.v1.curve25519-aes-sha2", "m.megolm.v1.aes-sha2"],
    keys: {
      [`curve25519:${deviceId}`]: unpadded(randomBytes(32)),
      [`ed25519:${deviceId}`]: key.publicKey,
    },
  };
  return {
    key,
    deviceKeys: key.signed(deviceKeys, userId, `ed25519:${deviceId}`),
    oneTimeKey(isFallback = false) {
      const fallback = isFallback ? { fallback: true } : {};
      return key.signed({ key: unpadded(randomBytes(32)), ...fallback }, userId, `ed25519:${deviceId}`);
    },
  };
}

export interface TestCrossSigning {
  readonly master: TestKey;
  readonly selfSigning: TestKey;
  readonly userSigning: TestKey;
  /** A body for `/keys/device_signing/upload`. */
  readonly body: { master_key: Json; self_signing_key: Json; user_signing_key: Json };
}

/** Cross-signing keys for a user; nothing is uploaded. */
export function makeCrossSigning(
  { userId }: Pick<TestClient, "userId">,
  master = new TestKey(),
): TestCrossSigning {
  const selfSigning = new TestKey();
  const userSigning = new TestKey();
  return {
    master,
    selfSigning,
    userSigning,
    body: {
      master_key: crossSigningKey(userId, "master", master),
      self_signing_key: master.signed(crossSigningKey(userId, "self_signing", selfSigning), userId),
      user_signing_key: master.signed(crossSigningKey(userId, "user_signing", userSigning), userId),
    },
  };
}

export function crossSigningKey(userId: string, usage: string, { publicKey }: TestKey): Json {
  return { user_id: userId, usage: [usage], keys: { [`ed25519:${publicKey}`]: publicKey } };
}
