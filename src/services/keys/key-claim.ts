import type { ServerName } from "../../protocol/identifiers.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { DeviceKeyStore, KeyClaim, OneTimeKey } from "../../storage/device-keys.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import {
  type KeyFailures,
  type RemoteKeys,
  unreachable,
  usersByReach,
  type WantedOf,
} from "./remote-keys.ts";

/** By user and device, the algorithm of the wanted key. */
export type ClaimedAlgorithms = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** A key and whose it is. */
export interface ClaimedKey extends OneTimeKey {
  readonly userId: string;
  readonly deviceId: string;
}

export interface ClaimAnswer {
  /** Keys of one user follow each other. */
  readonly keys: readonly ClaimedKey[];
  readonly failures: KeyFailures;
}

const maxClaims = 10_000;
/** One write takes so many: others wait for the writer too. */
const claimsAtOnce = 256;

/** Gives out one-time keys (client-server API, `/keys/claim`). */
export class KeyClaiming {
  readonly #store: DeviceKeyStore;
  readonly #names: NameCache;
  readonly #serverName: ServerName;
  readonly #remote: RemoteKeys | undefined;

  /** @param remote absent where this server talks to no others */
  constructor(
    store: DeviceKeyStore,
    names: NameCache,
    serverName: ServerName,
    remote: RemoteKeys | undefined,
  ) {
    this.#store = store;
    this.#names = names;
    this.#serverName = serverName;
    this.#remote = remote;
  }

  /**
   * Takes a key of each device that has one; others are missing from the answer.
   * @throws MatrixError M_INVALID_PARAM, M_TOO_LARGE.
   */
  async claim(wanted: ClaimedAlgorithms, timeoutMs: number): Promise<ClaimAnswer> {
    const { local, remote } = usersByReach(Object.entries(wanted), this.#serverName);
    checkCount([...local, ...remote]);
    if (remote.length === 0) return { keys: await this.#claim(local), failures: {} };
    const asked = this.#remote?.claim(remote, timeoutMs) ?? { keys: [], failures: unreachable(remote) };
    const [here, elsewhere] = await Promise.all([this.#claim(local), asked]);
    return { keys: [...here, ...elsewhere.keys], failures: elsewhere.failures };
  }

  /**
   * The same for another server, which may only ask for users of this one.
   * @throws MatrixError M_INVALID_PARAM, M_TOO_LARGE.
   */
  async claimForServer(wanted: ClaimedAlgorithms): Promise<readonly ClaimedKey[]> {
    const { local, remote } = usersByReach(Object.entries(wanted), this.#serverName);
    if (remote.length > 0)
      throw new MatrixError("M_INVALID_PARAM", "Only users of this server have keys here");
    checkCount(local);
    return this.#claim(local);
  }

  async #claim(local: WantedOf<ClaimedAlgorithms[string]>): Promise<ClaimedKey[]> {
    const claims: (KeyClaim & { readonly userId: string })[] = [];
    for (const [userId, devices] of local) {
      const userNid = await this.#names.findUser(userId);
      if (userNid === undefined) continue;
      for (const [deviceId, algorithm] of Object.entries(devices)) {
        claims.push({ userNid, deviceId, algorithm, userId });
      }
    }
    const keys: ClaimedKey[] = [];
    for (let first = 0; first < claims.length; first += claimsAtOnce) {
      const some = claims.slice(first, first + claimsAtOnce);
      const taken = await this.#store.claim(some);
      for (const [index, { userId, deviceId }] of some.entries()) {
        const key = taken[index];
        if (key) keys.push({ ...key, userId, deviceId });
      }
    }
    return keys;
  }
}

function checkCount(wanted: WantedOf<ClaimedAlgorithms[string]>): void {
  const count = wanted.reduce((sum, [, devices]) => sum + Object.keys(devices).length, 0);
  if (count <= maxClaims) return;
  throw new MatrixError("M_TOO_LARGE", `At most ${maxClaims} keys can be claimed at once`);
}
