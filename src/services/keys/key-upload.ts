import type { DeviceKeysJson, OneTimeKeysJson } from "../../api/client/encryption-keys.ts";
import type { Requester } from "../../auth/requester.ts";
import type { UserId } from "../../protocol/identifiers.ts";
import { isJsonObject } from "../../protocol/json.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type {
  DeviceKeyStore,
  KeyUpload as StoredUpload,
  KeyUploadOutcome,
  OneTimeKey,
  OneTimeKeyCounts,
  SignedText,
} from "../../storage/device-keys.ts";
import { storedText, textToSign } from "./signed-text.ts";

/** What `/keys/upload` takes. */
export interface KeyUploadJson {
  readonly device_keys?: DeviceKeysJson;
  readonly one_time_keys?: OneTimeKeysJson;
  readonly fallback_keys?: OneTimeKeysJson;
}

/** Everybody who shares a room with the user is sent these. */
export const maxDeviceKeyBytes = 16 * 1024;
export const maxOneTimeKeyBytes = 8 * 1024;
/** Clients keep about fifty. */
const maxOneTimeKeys = 1_000;
const keyIdGrammar = /^([^:]{1,255}):([^:]{1,255})$/;

/** Devices publish their identity keys, one-time keys and fallback keys (client-server API, "Uploading keys"). */
export class KeyUpload {
  readonly #store: DeviceKeyStore;

  constructor(store: DeviceKeyStore) {
    this.#store = store;
  }

  /**
   * @returns how many one-time keys the device has then, by algorithm
   * @throws MatrixError M_BAD_JSON, M_INVALID_PARAM, M_TOO_LARGE, M_UNKNOWN for a one-time key whose ID is taken,
   *   M_MISSING_PARAM for an application service that names no device.
   */
  async upload(requester: Requester, body: KeyUploadJson): Promise<OneTimeKeyCounts> {
    const { userNid, deviceId } = requester;
    if (deviceId === "") {
      throw new MatrixError("M_MISSING_PARAM", "Keys are of devices: name one of the user's in device_id");
    }
    const outcome = await this.#store.upload(userNid, deviceId, checkedKeys(requester, body));
    return countsOf(outcome);
  }
}

/** Whose keys they have to be. */
interface KeyOwner {
  readonly userId: UserId;
  readonly deviceId: string;
}

/**
 * Keys of a device, ready to be stored.
 * @throws MatrixError M_BAD_JSON, M_INVALID_PARAM, M_TOO_LARGE.
 */
export function checkedKeys(owner: KeyOwner, body: KeyUploadJson): StoredUpload {
  return {
    deviceKeys: body.device_keys ? identityKeys(owner, body.device_keys) : null,
    oneTimeKeys: oneTimeKeys(body.one_time_keys ?? {}),
    fallbackKeys: fallbackKeys(body.fallback_keys ?? {}),
    maxOneTimeKeys,
  };
}

/** "user_id ... must match the user ID used when logging in", and so must device_id. */
function identityKeys({ userId, deviceId }: KeyOwner, keys: DeviceKeysJson): SignedText {
  if (keys.user_id !== userId) {
    throw new MatrixError("M_BAD_JSON", `device_keys are of another user: user_id has to be ${userId}`);
  }
  if (keys.device_id !== deviceId) {
    throw new MatrixError("M_BAD_JSON", `device_keys are of another device: device_id has to be ${deviceId}`);
  }
  return storedText(keys, userId, maxDeviceKeyBytes);
}

function oneTimeKeys(keys: OneTimeKeysJson): OneTimeKey[] {
  return Object.entries(keys).map(([name, key]) => {
    const [, algorithm, keyId] = keyIdGrammar.exec(name) ?? [];
    if (algorithm === undefined || keyId === undefined) {
      throw new MatrixError("M_INVALID_PARAM", "The name of a key is its algorithm, a colon and its ID");
    }
    // What cannot be signed could not be compared with a repeated upload either.
    if (isJsonObject(key)) textToSign(key);
    const text = JSON.stringify(key);
    if (Buffer.byteLength(text) > maxOneTimeKeyBytes) {
      throw new MatrixError("M_TOO_LARGE", `A one-time key may have at most ${maxOneTimeKeyBytes} bytes`);
    }
    return { algorithm, keyId, key: text };
  });
}

/** "There can only be at most one key per algorithm uploaded." */
function fallbackKeys(keys: OneTimeKeysJson): OneTimeKey[] {
  const parsed = oneTimeKeys(keys);
  if (new Set(parsed.map(({ algorithm }) => algorithm)).size < parsed.length) {
    throw new MatrixError("M_INVALID_PARAM", "There may be one fallback key for each algorithm only");
  }
  return parsed;
}

/**
 * How many one-time keys a device has after an upload, by algorithm.
 * @throws MatrixError M_INVALID_PARAM, M_TOO_LARGE, M_UNKNOWN when nothing was stored.
 */
export function countsOf(outcome: KeyUploadOutcome): OneTimeKeyCounts {
  if (outcome.stored) return outcome.counts;
  if (outcome.reason === "key-exists") {
    const { existing, uploaded } = outcome;
    // Clients look for these words: they have to throw away the keys that they forgot to have uploaded.
    throw new MatrixError(
      "M_UNKNOWN",
      `One time key ${existing.algorithm}:${existing.keyId} already exists. ` +
        `Old key: ${existing.key}; new key: ${uploaded.key}`,
    );
  }
  if (outcome.reason === "too-many") {
    throw new MatrixError("M_TOO_LARGE", `A device may have at most ${maxOneTimeKeys} one-time keys`);
  }
  throw new MatrixError("M_INVALID_PARAM", "The access token belongs to no device: only devices have keys");
}
