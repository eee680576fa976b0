import type { ServerName } from "../../protocol/identifiers.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { DeviceKeyStore, KeyClaim, OneTimeKey } from "../../storage/device-keys.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import { type KeyFailures, usersByReach } from "./remote-servers.ts";

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

  constructor(store: DeviceKeyStore, names: NameCache, serverName: ServerName) {
    this.#store = store;
    this.#names = names;
    this.#serverName = serverName;
  }

  /**
   * Takes a key of each device that has one; others are missing from the answer.
   * @throws MatrixError M_INVALID_PARAM, M_TOO_LARGE.
   */
  async claim(wanted: ClaimedAlgorithms): Promise<ClaimAnswer> {
    const { local, failures } = usersByReach(Object.entries(wanted), this.#serverName);
    const claims: (KeyClaim & { readonly userId: string })[] = [];
    for (const [userId, devices] of local) {
      const userNid = await this.#names.findUser(userId);
      if (userNid === undefined) continue;
      for (const [deviceId, algorithm] of Object.entries(devices)) {
        claims.push({ userNid, deviceId, algorithm, userId });
      }
    }
    if (claims.length > maxClaims) {
      throw new MatrixError("M_TOO_LARGE", `At most ${maxClaims} keys can be claimed at once`);
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
    return { keys, failures };
  }
}
