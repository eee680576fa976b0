import type { CrossSigningKeyJson } from "../../api/client/encryption-keys.ts";
import { VerifyKey } from "../../protocol/ed25519.ts";
import { KeyError } from "../../protocol/errors.ts";
import { isSignedJson } from "../../protocol/json-signing.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { CrossSigningStore, CrossSigningUpload } from "../../storage/cross-signing.ts";
import type { CrossSigningKey, CrossSigningUsage } from "../../storage/device-keys.ts";
import type { LocalUser } from "../local-user.ts";
import { storedText } from "./signed-text.ts";

/** What `/keys/device_signing/upload` takes, beside `auth`. */
export interface CrossSigningJson {
  readonly master_key?: CrossSigningKeyJson;
  readonly self_signing_key?: CrossSigningKeyJson;
  readonly user_signing_key?: CrossSigningKeyJson;
}

/** Keys that were checked; whether they may be stored without proof of identity depends on what is stored. */
export type CheckedKeys = Omit<CrossSigningUpload, "authorised">;

export interface ParsedKey extends CrossSigningKey {
  readonly json: CrossSigningKeyJson;
  readonly verifyKey: VerifyKey;
}

/** Everybody who shares a room with the user is sent these. */
const maxKeyBytes = 16 * 1024;

/** Users publish their cross-signing keys (client-server API, "Cross-signing"). */
export class CrossSigning {
  readonly #store: CrossSigningStore;

  constructor(store: CrossSigningStore) {
    this.#store = store;
  }

  /**
   * Checks that keys are well-formed and that the master key has signed the others.
   * @throws MatrixError M_INVALID_PARAM, M_INVALID_SIGNATURE, M_MISSING_PARAM without any master key, M_TOO_LARGE.
   */
  async check(user: LocalUser, body: CrossSigningJson): Promise<CheckedKeys> {
    const parsed = (usage: CrossSigningUsage, json: CrossSigningKeyJson | undefined) =>
      json && parseCrossSigningKey(user, usage, json);
    const master = parsed("master", body.master_key);
    const others = [
      parsed("self_signing", body.self_signing_key),
      parsed("user_signing", body.user_signing_key),
    ].filter((key) => key !== undefined);
    const masterKey = master?.verifyKey ?? (await this.#storedMasterKey(user));
    if (!masterKey) {
      throw new MatrixError("M_MISSING_PARAM", "There is no master key: send master_key with the others");
    }
    for (const { usage, json } of others) {
      if (isSignedJson(json, user.userId, [masterKey])) continue;
      throw new MatrixError("M_INVALID_SIGNATURE", `The master key has not signed the ${usage} key`);
    }
    const keys = (master ? [master, ...others] : others).map(
      ({ json: _json, verifyKey: _verifyKey, ...key }) => key,
    );
    return { keys, masterKey: masterKey.publicKey };
  }

  /**
   * Stores checked keys.
   * @param authorised whether the user has proved who they are
   * @returns false when that is needed first: "except ... there is no existing master signing key ... or the request
   *   contains no new keys"
   * @throws MatrixError M_FORBIDDEN when a key has the ID of a device, M_INVALID_SIGNATURE when the master key has
   *   changed meanwhile.
   */
  async store({ userNid }: LocalUser, keys: CheckedKeys, authorised: boolean): Promise<boolean> {
    const outcome = await this.#store.upload(userNid, { ...keys, authorised });
    if (outcome === "device-has-key-id") {
      throw new MatrixError(
        "M_FORBIDDEN",
        "One of your devices has a public key for its ID: make other keys",
      );
    }
    if (outcome === "master-changed") {
      throw new MatrixError("M_INVALID_SIGNATURE", "Your master key is another one by now");
    }
    return outcome === "stored";
  }

  async #storedMasterKey({ userNid }: LocalUser): Promise<VerifyKey | undefined> {
    const keys = await this.#store.keysOf(userNid);
    const stored = keys.find(({ usage }) => usage === "master");
    return stored && new VerifyKey(`ed25519:${stored.publicKey}`, stored.publicKey);
  }
}

/**
 * A cross-signing key of a user, ready to be stored. What has signed it is not looked at.
 * @throws MatrixError M_INVALID_PARAM, M_BAD_JSON, M_TOO_LARGE.
 */
export function parseCrossSigningKey(
  { userId }: Pick<LocalUser, "userId">,
  usage: CrossSigningUsage,
  json: CrossSigningKeyJson,
): ParsedKey {
  if (json.user_id !== userId) {
    throw new MatrixError(
      "M_INVALID_PARAM",
      `The ${usage} key is of another user: user_id has to be ${userId}`,
    );
  }
  if (!json.usage.includes(usage)) {
    throw new MatrixError("M_INVALID_PARAM", `The usage of the ${usage} key does not have "${usage}"`);
  }
  const verifyKey = parsePublicKey(usage, json);
  return { usage, publicKey: verifyKey.publicKey, json, verifyKey, ...storedText(json, userId, maxKeyBytes) };
}

/** "exactly one property, whose name is in the form <algorithm>:<unpadded_base64_public_key>, and whose value is the ... key" */
function parsePublicKey(usage: CrossSigningUsage, { keys }: CrossSigningKeyJson): VerifyKey {
  const [entry] = Object.entries(keys);
  const [keyId = "", publicKey = ""] = entry ?? [];
  try {
    const verifyKey = new VerifyKey(keyId, publicKey);
    if (keyId === `ed25519:${verifyKey.publicKey}` && publicKey === verifyKey.publicKey) return verifyKey;
  } catch (error) {
    if (!(error instanceof KeyError)) throw error;
    throw new MatrixError("M_INVALID_PARAM", `The ${usage} key is no key: ${error.message}`);
  }
  throw new MatrixError(
    "M_INVALID_PARAM",
    `The name of the ${usage} key is not "ed25519:" and the key as unpadded Base64`,
  );
}
