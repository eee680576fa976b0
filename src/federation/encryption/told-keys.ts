import type { CrossSigningKeyJson } from "../../api/client/encryption-keys.ts";
import type { UserId } from "../../protocol/identifiers.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../protocol/json.ts";
import { isSignedJson } from "../../protocol/json-signing.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import { type ParsedKey, parseCrossSigningKey } from "../../services/keys/cross-signing.ts";
import { maxDeviceKeyBytes, maxOneTimeKeyBytes } from "../../services/keys/key-upload.ts";
import { storedText, textToSign } from "../../services/keys/signed-text.ts";
import type { CrossSigningKey, DeviceKeys, OneTimeKey, SignedText } from "../../storage/device-keys.ts";
import type { ToldDeviceList } from "../../storage/remote-device-lists.ts";
import { wrongAnswer } from "../requests/answers.ts";

/** Of device IDs and key IDs: those of clients are shorter by far. */
const maxIdLength = 255;
const maxDisplayNameLength = 255;
/** A list is read up to here: one that is longer is not stored at all. */
const maxReadDevices = 1_001;

/** The member of an object, if it has one of its own by this name. */
export function memberOf(object: JsonValue | undefined, name: string): JsonValue | undefined {
  return isJsonObject(object) && Object.hasOwn(object, name) ? object[name] : undefined;
}

/**
 * A device's identity keys as its user's server tells them, or `undefined` for what no client could use: keys of another
 * user or device, of other types, too large ones.
 */
export function toldDeviceKeys(
  userId: UserId,
  deviceId: string,
  keys: JsonValue | undefined,
): SignedText | undefined {
  if (!isJsonObject(keys) || deviceId.length === 0 || deviceId.length > maxIdLength) return undefined;
  if (keys["user_id"] !== userId || keys["device_id"] !== deviceId) return undefined;
  const { algorithms, keys: publicKeys } = keys;
  if (!Array.isArray(algorithms) || !algorithms.every((each) => typeof each === "string")) return undefined;
  if (!isJsonObject(publicKeys) || !Object.values(publicKeys).every((each) => typeof each === "string"))
    return undefined;
  return unlessRefused(() => storedText(keys, userId, maxDeviceKeyBytes));
}

/** A device's name as its server tells it; what is none is left out. */
export function toldDisplayName(name: JsonValue | undefined): string | null {
  return typeof name === "string" ? name.slice(0, maxDisplayNameLength) : null;
}

/** Those of a user's cross-signing keys that are what they have to be; the master key has to have signed the other. */
export function toldCrossSigning(
  userId: UserId,
  master: JsonValue | undefined,
  selfSigning: JsonValue | undefined,
): CrossSigningKey[] {
  const masterKey = parsedKey(userId, "master", master);
  if (!masterKey) return [];
  const selfSigningKey = parsedKey(userId, "self_signing", selfSigning);
  const isSigned = selfSigningKey && isSignedJson(selfSigningKey.json, userId, [masterKey.verifyKey]);
  return (isSigned ? [masterKey, selfSigningKey] : [masterKey]).map(
    ({ json: _json, verifyKey: _verifyKey, ...key }) => key,
  );
}

/** The list that a server answers with. @throws FederationError for what is none */
export function toldDeviceList(userId: UserId, answer: JsonObject): ToldDeviceList {
  const { user_id: owner, stream_id: streamId, devices } = answer;
  if (owner !== userId) throw wrongAnswer("the list is of another user");
  if (typeof streamId !== "number" || !Number.isSafeInteger(streamId)) throw wrongAnswer("no stream_id");
  if (!Array.isArray(devices)) throw wrongAnswer("no list of devices");
  const byId = new Map<string, DeviceKeys>();
  for (const device of devices.slice(0, maxReadDevices)) {
    const deviceId = memberOf(device, "device_id");
    if (typeof deviceId !== "string") continue;
    const keys = toldDeviceKeys(userId, deviceId, memberOf(device, "keys"));
    const displayName = toldDisplayName(memberOf(device, "device_display_name"));
    if (keys) byId.set(deviceId, { deviceId, displayName, ...keys });
  }
  return {
    streamId,
    devices: [...byId.values()],
    crossSigning: toldCrossSigning(userId, answer["master_key"], answer["self_signing_key"]),
  };
}

/** The keys of a user in the answer to a query for several. */
export function toldKeysOf(
  userId: UserId,
  answer: JsonObject,
): { readonly devices: readonly DeviceKeys[]; readonly crossSigning: readonly CrossSigningKey[] } {
  const told = memberOf(answer["device_keys"], userId);
  const entries = isJsonObject(told) ? Object.entries(told).slice(0, maxReadDevices) : [];
  const devices = entries.flatMap(([deviceId, json]) => {
    const keys = toldDeviceKeys(userId, deviceId, json);
    const displayName = toldDisplayName(memberOf(memberOf(json, "unsigned"), "device_display_name"));
    return keys ? [{ deviceId, displayName, ...keys }] : [];
  });
  const master = memberOf(answer["master_keys"], userId);
  const selfSigning = memberOf(answer["self_signing_keys"], userId);
  return {
    devices: devices.length < maxReadDevices ? devices : [],
    crossSigning: toldCrossSigning(userId, master, selfSigning),
  };
}

/** A claimed key of the wanted algorithm. */
export function toldOneTimeKey(algorithm: string, told: JsonValue | undefined): OneTimeKey | undefined {
  const [entry] = isJsonObject(told) ? Object.entries(told) : [];
  if (!entry) return undefined;
  const [name, json] = entry;
  if (!name.startsWith(`${algorithm}:`) || name.length > 2 * maxIdLength) return undefined;
  if (typeof json !== "string" && !isKeyObject(json)) return undefined;
  const key = JSON.stringify(json);
  if (Buffer.byteLength(key) > maxOneTimeKeyBytes) return undefined;
  return { algorithm, keyId: name.slice(algorithm.length + 1), key };
}

function isKeyObject(json: JsonValue): boolean {
  if (!isJsonObject(json) || typeof json["key"] !== "string" || !isJsonObject(json["signatures"]))
    return false;
  return unlessRefused(() => textToSign(json)) !== undefined;
}

function parsedKey(
  userId: UserId,
  usage: "master" | "self_signing",
  json: JsonValue | undefined,
): ParsedKey | undefined {
  if (!isCrossSigningKeyJson(json)) return undefined;
  return unlessRefused(() => parseCrossSigningKey({ userId }, usage, json));
}

function isCrossSigningKeyJson(json: JsonValue | undefined): json is CrossSigningKeyJson {
  if (!isJsonObject(json)) return false;
  const { user_id: userId, usage, keys } = json;
  if (typeof userId !== "string" || !Array.isArray(usage)) return false;
  const values = isJsonObject(keys) ? Object.values(keys) : [];
  return (
    usage.every((each) => typeof each === "string") && values.length === 1 && typeof values[0] === "string"
  );
}

/** What is refused from a client of this server is left out when another server tells it. */
function unlessRefused<Result>(check: () => Result): Result | undefined {
  try {
    return check();
  } catch (error) {
    if (error instanceof MatrixError) return undefined;
    throw error;
  }
}
