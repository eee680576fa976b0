import type { ServerName } from "../../protocol/identifiers.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { CrossSigningStore, StoredUserSignature } from "../../storage/cross-signing.ts";
import { ReadCache } from "../../storage/read-cache.ts";
import type { CommitListener } from "../../storage/streams.ts";
import type { LocalUser } from "../local-user.ts";
import type { PublicKeyCache } from "./public-key-cache.ts";
import { type KeyFailures, type RemoteKeys, unreachable, usersByReach } from "./remote-keys.ts";
import { type RenderedKeys, withSignature } from "./rendered-keys.ts";

/** By user, the wanted devices; an empty list wants all. */
export type WantedDevices = Readonly<Record<string, readonly string[]>>;

/** Members of the answer's objects, each beginning with a comma: see `RenderedKeys`. */
export interface KeyQueryAnswer {
  readonly deviceKeys: readonly Buffer[];
  readonly masterKeys: readonly Buffer[];
  readonly selfSigningKeys: readonly Buffer[];
  readonly userSigningKeys: readonly Buffer[];
  readonly failures: KeyFailures;
}

type SignaturesByTarget = ReadonlyMap<number, StoredUserSignature>;

const maxUsers = 10_000;
/** Everybody who looks at keys has such a list; most are short. */
const cachedSigners = 20_000;

/** Tells clients the public keys of users (client-server API, `/keys/query`). */
export class KeyQuery {
  readonly #keys: PublicKeyCache;
  readonly #serverName: ServerName;
  readonly #remote: RemoteKeys | undefined;
  readonly #signatures: ReadCache<number, SignaturesByTarget>;

  /** @param remote absent where this server talks to no others */
  constructor(
    keys: PublicKeyCache,
    crossSigning: CrossSigningStore,
    serverName: ServerName,
    remote: RemoteKeys | undefined,
  ) {
    this.#keys = keys;
    this.#serverName = serverName;
    this.#remote = remote;
    this.#signatures = new ReadCache(cachedSigners, async (signerNid): Promise<SignaturesByTarget> => {
      const signatures = await crossSigning.userSignaturesOf(signerNid);
      return new Map(signatures.map((signature) => [signature.targetNid, signature]));
    });
  }

  /** To be called with each commit before its position becomes visible. */
  readonly follow: CommitListener = (_position, changes) => {
    for (const { stream, nid } of changes) {
      // A replaced user-signing key, which is a change of the device list, takes its signatures with it.
      if (stream === "userSignatures" || stream === "deviceLists") this.#signatures.forget(nid);
    }
  };

  /**
   * The keys of users as one user may see them; users and devices that are not known are missing.
   * @param timeoutMs how long other servers are waited for
   * @throws MatrixError M_INVALID_PARAM, M_TOO_LARGE.
   */
  async query(viewer: LocalUser, wanted: WantedDevices, timeoutMs: number): Promise<KeyQueryAnswer> {
    const answer = new AnswerBuilder(viewer, await this.#signatures.get(viewer.userNid));
    const users = usersOf(wanted);
    const missing: (readonly [string, readonly string[]])[] = [];
    for (const user of users) {
      const [userId, deviceIds] = user;
      const keys = this.#keys.cached(userId);
      if (keys) answer.add(userId, keys, deviceIds);
      else missing.push(user);
    }
    if (missing.length === 0) return answer;
    const { local, remote } = usersByReach(missing, this.#serverName);
    answer.addAll(local, await this.#keys.read(local.map(([userId]) => userId)));
    if (remote.length === 0) return answer;
    const elsewhere = await this.#remote?.query(remote, timeoutMs);
    answer.failures = elsewhere?.failures ?? unreachable(remote);
    if (elsewhere) answer.addAll(remote, elsewhere.keys);
    return answer;
  }

  /**
   * The same for another server: "Requested users must be local to the receiving homeserver", and nobody's user-signing
   * key is shown.
   * @throws MatrixError M_INVALID_PARAM, M_TOO_LARGE.
   */
  async queryForServer(wanted: WantedDevices): Promise<KeyQueryAnswer> {
    const { local, remote } = usersByReach(usersOf(wanted), this.#serverName);
    if (remote.length > 0)
      throw new MatrixError("M_INVALID_PARAM", "Only users of this server have keys here");
    const answer = new AnswerBuilder(undefined, new Map());
    const missing = local.filter(([userId]) => !this.#keys.cached(userId));
    const read = await this.#keys.read(missing.map(([userId]) => userId));
    for (const [userId, deviceIds] of local) {
      const keys = read.get(userId) ?? this.#keys.cached(userId);
      if (keys) answer.add(userId, keys, deviceIds);
    }
    return answer;
  }
}

/** @throws MatrixError M_TOO_LARGE. */
function usersOf(wanted: WantedDevices): [string, readonly string[]][] {
  const users = Object.entries(wanted);
  if (users.length <= maxUsers) return users;
  throw new MatrixError("M_TOO_LARGE", `The keys of at most ${maxUsers} users can be asked for at once`);
}

class AnswerBuilder implements KeyQueryAnswer {
  readonly deviceKeys: Buffer[] = [];
  readonly masterKeys: Buffer[] = [];
  readonly selfSigningKeys: Buffer[] = [];
  readonly userSigningKeys: Buffer[] = [];
  failures: KeyFailures = {};
  readonly #viewer: LocalUser | undefined;
  readonly #signatures: SignaturesByTarget;

  /** @param viewer absent for a server */
  constructor(viewer: LocalUser | undefined, signatures: SignaturesByTarget) {
    this.#viewer = viewer;
    this.#signatures = signatures;
  }

  addAll(
    users: Iterable<readonly [string, readonly string[]]>,
    keysByUser: ReadonlyMap<string, RenderedKeys>,
  ): void {
    for (const [userId, deviceIds] of users) {
      const keys = keysByUser.get(userId);
      if (keys) this.add(userId, keys, deviceIds);
    }
  }

  add(userId: string, keys: RenderedKeys, deviceIds: readonly string[]): void {
    if (deviceIds.length === 0) this.deviceKeys.push(keys.devices);
    else this.#addDevices(keys, deviceIds);
    if (keys.masterKey) this.masterKeys.push(this.#seenMasterKey(keys, keys.masterKey));
    if (keys.selfSigningKey) this.selfSigningKeys.push(keys.selfSigningKey);
    // "... and a user-signing key -- only visible to the user that it belongs to."
    if (keys.userSigningKey && userId === this.#viewer?.userId)
      this.userSigningKeys.push(keys.userSigningKey);
  }

  #addDevices({ name, byDeviceId }: RenderedKeys, deviceIds: readonly string[]): void {
    const devices = [...new Set(deviceIds)].map((deviceId) => byDeviceId.get(deviceId));
    const found = devices.filter((device) => device !== undefined);
    const separated = found.flatMap((device, index) => (index === 0 ? [device] : [comma, device]));
    this.deviceKeys.push(Buffer.concat([name, openBrace, ...separated, closeBrace]));
  }

  /** "Users will not be able to see signatures made by other users' user-signing keys": they see their own. */
  #seenMasterKey({ userNid, masterPublicKey }: RenderedKeys, masterKey: Buffer): Buffer {
    const signature = this.#signatures.size === 0 ? undefined : this.#signatures.get(userNid);
    if (!this.#viewer || !signature || signature.targetKey !== masterPublicKey) return masterKey;
    return withSignature(masterKey, this.#viewer.userId, signature);
  }
}

const comma = Buffer.from(",");
const openBrace = Buffer.from("{");
const closeBrace = Buffer.from("}");
