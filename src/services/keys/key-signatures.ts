import { VerifyKey } from "../../protocol/ed25519.ts";
import { KeyError } from "../../protocol/errors.ts";
import { parseUserId, serverNameOf } from "../../protocol/identifiers.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../protocol/json.ts";
import { type Errcode, MatrixError } from "../../protocol/matrix-error.ts";
import type { CrossSigningStore, OwnSignatures, UserSignature } from "../../storage/cross-signing.ts";
import type { CrossSigningKey, DeviceKeyStore, PublicKeys } from "../../storage/device-keys.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import type { LocalUser } from "../local-user.ts";
import { keyTimeoutMs, type RemoteKeys } from "./remote-keys.ts";
import { signaturesBy, textToSign } from "./signed-text.ts";

/** By user and key ID (of a device, or a public master key), the key with new signatures. */
export type SignedKeysJson = Readonly<Record<string, Readonly<Record<string, JsonObject>>>>;
/** By user and key ID, what is wrong. */
export type SignatureFailures = Readonly<Record<string, Readonly<Record<string, SignatureFailure>>>>;

interface SignatureFailure {
  readonly errcode: Errcode;
  readonly error: string;
}

interface SignedKey {
  readonly userId: string;
  readonly keyId: string;
  readonly json: JsonObject;
}

/** Verifying this many takes some milliseconds, in which nobody else is served. */
const maxKeys = 200;

/** Adds signatures to keys after their upload (client-server API, `/keys/signatures/upload`). */
export class KeySignatures {
  readonly #deviceKeys: DeviceKeyStore;
  readonly #crossSigning: CrossSigningStore;
  readonly #names: NameCache;
  readonly #remote: RemoteKeys | undefined;

  /** @param remote absent where this server talks to no others */
  constructor(
    deviceKeys: DeviceKeyStore,
    crossSigning: CrossSigningStore,
    names: NameCache,
    remote: RemoteKeys | undefined,
  ) {
    this.#remote = remote;
    this.#deviceKeys = deviceKeys;
    this.#crossSigning = crossSigning;
    this.#names = names;
  }

  /**
   * Stores the signatures that are right: by the self-signing key of own devices, by devices of the own master key, by
   * the user-signing key of others' master keys.
   * @returns what is wrong with the others
   * @throws MatrixError M_TOO_LARGE.
   */
  async add(signer: LocalUser, body: SignedKeysJson): Promise<SignatureFailures> {
    const signedKeys = Object.entries(body).flatMap(([userId, keys]) =>
      Object.entries(keys).map(([keyId, json]): SignedKey => ({ userId, keyId, json })),
    );
    if (signedKeys.length > maxKeys) {
      throw new MatrixError("M_TOO_LARGE", `At most ${maxKeys} keys can be signed at once`);
    }
    const [own] = await this.#deviceKeys.of([signer.userNid]);
    if (!own) throw new MatrixError("M_UNKNOWN", "Your keys cannot be read");
    const failures = new Failures();
    await this.#addOwn(signer, own, signedKeys, failures);
    await this.#addOthers(signer, own, signedKeys, failures);
    return failures.byUser;
  }

  async #addOwn(
    signer: LocalUser,
    own: PublicKeys,
    keys: readonly SignedKey[],
    failures: Failures,
  ): Promise<void> {
    const judged = keys
      .filter(({ userId }) => userId === signer.userId)
      .map((key) => ({ key, signatures: failures.unless(key, () => ownSignatures(signer, own, key)) }))
      .filter((each): each is { key: SignedKey; signatures: OwnSignatures } => each.signatures !== undefined);
    if (judged.length === 0) return;
    const stored = await this.#crossSigning.addOwnSignatures(
      signer.userNid,
      judged.map(({ signatures }) => signatures),
    );
    for (const [index, { key }] of judged.entries())
      if (!stored[index]) failures.add(key, changedMeanwhile());
  }

  async #addOthers(
    signer: LocalUser,
    own: PublicKeys,
    keys: readonly SignedKey[],
    failures: Failures,
  ): Promise<void> {
    const judged: { key: SignedKey; signature: UserSignature }[] = [];
    for (const key of keys) {
      if (key.userId === signer.userId) continue;
      const targetNid = await this.#names.findUser(key.userId);
      const targetKeys = await this.#keysOf(signer, key.userId, targetNid);
      const signature = failures.unless(key, () => userSignature(signer, own, key, targetNid, targetKeys));
      if (signature) judged.push({ key, signature });
    }
    if (judged.length === 0) return;
    const stored = await this.#crossSigning.addUserSignatures(
      signer.userNid,
      judged.map(({ signature }) => signature),
    );
    for (const [index, { key }] of judged.entries())
      if (!stored[index]) failures.add(key, changedMeanwhile());
  }

  /** A user's cross-signing keys; those of a user of another server are got from there if nobody has asked yet. */
  async #keysOf(
    signer: LocalUser,
    text: string,
    userNid: number | undefined,
  ): Promise<readonly CrossSigningKey[]> {
    if (userNid === undefined) return [];
    const known = await this.#crossSigning.keysOf(userNid);
    const userId = parseUserId(text);
    const isRemote = userId && serverNameOf(userId) !== serverNameOf(signer.userId);
    if (known.length > 0 || !this.#remote || !isRemote) return known;
    await this.#remote.query([[userId, []]], keyTimeoutMs(undefined));
    return this.#crossSigning.keysOf(userNid);
  }
}

/** What is wrong with single keys; the other keys of the request are not concerned. */
class Failures {
  readonly #byUser = new Map<string, Map<string, SignatureFailure>>();

  get byUser(): SignatureFailures {
    return Object.fromEntries([...this.#byUser].map(([userId, keys]) => [userId, Object.fromEntries(keys)]));
  }

  add({ userId, keyId }: SignedKey, { errcode, message }: MatrixError): void {
    const ofUser = this.#byUser.get(userId) ?? new Map<string, SignatureFailure>();
    ofUser.set(keyId, { errcode, error: message });
    this.#byUser.set(userId, ofUser);
  }

  /** The judgement on a key, or `undefined` when it failed. */
  unless<Result>(key: SignedKey, judge: () => Result): Result | undefined {
    try {
      return judge();
    } catch (error) {
      if (!(error instanceof MatrixError)) throw error;
      this.add(key, error);
      return undefined;
    }
  }
}

function ownSignatures({ userId }: LocalUser, own: PublicKeys, { keyId, json }: SignedKey): OwnSignatures {
  const uploaded = signaturesBy(json, userId);
  const device = own.devices.find(({ deviceId }) => deviceId === keyId);
  if (device) {
    const signed = matchingText(json, device.signed);
    const signingKey = own.crossSigning.find(({ usage }) => usage === "self_signing");
    const [id, signature] = checkedSignature(uploaded, signingKey, signed, "self-signing key");
    return { deviceId: keyId, signed, signatures: JSON.stringify({ [id]: signature }) };
  }
  const master = own.crossSigning.find(({ usage }) => usage === "master");
  if (master?.publicKey !== keyId) {
    throw new MatrixError("M_NOT_FOUND", "You have neither a device nor a master key with this ID");
  }
  const signed = matchingText(json, master.signed);
  return { deviceId: null, signed, signatures: JSON.stringify(deviceSignatures(own, uploaded, signed)) };
}

/** The signatures of a master key by its owner's devices, all of which have to be right. */
function deviceSignatures(
  { devices }: PublicKeys,
  uploaded: Readonly<Record<string, string>>,
  signed: string,
): Record<string, string> {
  const found: [string, string][] = [];
  for (const { deviceId, signed: deviceText } of devices) {
    const keyId = `ed25519:${deviceId}`;
    const signature = Object.hasOwn(uploaded, keyId) ? uploaded[keyId] : undefined;
    if (signature === undefined) continue;
    const { keys } = JSON.parse(deviceText) as JsonObject;
    if (!isRight(signed, keyId, publicKeyOf(keys, keyId), signature)) {
      throw new MatrixError("M_INVALID_SIGNATURE", `The signature by device ${deviceId} is wrong`);
    }
    found.push([keyId, signature]);
  }
  if (found.length === 0) {
    throw new MatrixError("M_INVALID_SIGNATURE", "None of your devices has signed the master key");
  }
  return Object.fromEntries(found);
}

function publicKeyOf(keys: JsonValue | undefined, keyId: string): string {
  const key = isJsonObject(keys) && Object.hasOwn(keys, keyId) ? keys[keyId] : undefined;
  return typeof key === "string" ? key : "";
}

function userSignature(
  { userId }: LocalUser,
  own: PublicKeys,
  { keyId, json }: SignedKey,
  targetNid: number | undefined,
  targetKeys: readonly CrossSigningKey[],
): UserSignature {
  const master = targetKeys.find(({ usage }) => usage === "master");
  if (targetNid === undefined || master?.publicKey !== keyId) {
    throw new MatrixError("M_NOT_FOUND", "The user has no master key with this ID");
  }
  const signed = matchingText(json, master.signed);
  const signingKey = own.crossSigning.find(({ usage }) => usage === "user_signing");
  const [id, signature] = checkedSignature(
    signaturesBy(json, userId),
    signingKey,
    signed,
    "user-signing key",
  );
  return { targetNid, signed, keyId: id, signature };
}

/** "The signed JSON object must match the key previously uploaded ..., with the exception of the signatures property." */
function matchingText(json: JsonObject, stored: string): string {
  if (textToSign(json) === stored) return stored;
  throw new MatrixError("M_INVALID_SIGNATURE", "This is not the key that was uploaded");
}

function checkedSignature(
  uploaded: Readonly<Record<string, string>>,
  signingKey: CrossSigningKey | undefined,
  signed: string,
  name: string,
): [keyId: string, signature: string] {
  if (!signingKey) throw new MatrixError("M_INVALID_SIGNATURE", `You have no ${name}`);
  const keyId = `ed25519:${signingKey.publicKey}`;
  const signature = Object.hasOwn(uploaded, keyId) ? uploaded[keyId] : undefined;
  if (signature === undefined || !isRight(signed, keyId, signingKey.publicKey, signature)) {
    throw new MatrixError("M_INVALID_SIGNATURE", `There is no right signature by your ${name}`);
  }
  return [keyId, signature];
}

function isRight(signed: string, keyId: string, publicKey: string, signature: string): boolean {
  try {
    return new VerifyKey(keyId, publicKey).verify(signed, signature);
  } catch (error) {
    // A device may have published what is no key.
    if (error instanceof KeyError) return false;
    throw error;
  }
}

function changedMeanwhile(): MatrixError {
  return new MatrixError("M_INVALID_SIGNATURE", "The key has changed meanwhile: fetch it again");
}
