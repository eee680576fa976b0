import type { Adapter, AdapterPayload } from "oidc-provider";
import { hashToken } from "../auth/tokens.ts";
import type { OAuthStore } from "../storage/oauth.ts";
import type { Clock } from "../telemetry/clock.ts";

export interface ProviderStorageParts {
  readonly store: OAuthStore;
  readonly clock: Clock;
  /** Ends the sessions that a grant has led to. */
  readonly revokeGrant: (grantId: string) => Promise<void>;
  /** The error for a code that is used again, at the same moment as the first time. */
  readonly usedTwice: () => Error;
}

/** What oidc-provider keeps for no longer than a request: browsers bring everything along, and tokens are sessions' own. */
const notStored: readonly string[] = ["AccessToken", "RefreshToken", "Session", "ReplayDetection"];
/** A device code that has expired is remembered for a while, so that its device is told so (RFC 8628, section 3.5). */
const rememberedMs = 10 * 60 * 1000;
/** Stands in for a secret that is not known, since only its hash is stored. */
const hashMark = "sha256:";

/**
 * What oidc-provider stores, by our own storage: for each kind of record one of these. Secrets are stored as hashes, and
 * those that are in a record are taken out of it.
 */
export function providerStorage(parts: ProviderStorageParts): (model: string) => Adapter {
  return (model) => {
    if (model === "Client") return clientStorage(parts.store);
    if (notStored.includes(model)) return noStorage(model, parts);
    return recordStorage(model, parts);
  };
}

function clientStorage(store: OAuthStore): Adapter {
  return {
    ...noRecords,
    // Clients are registered by an endpoint of ours.
    upsert: () => Promise.reject(new TypeError("clients are not stored by the provider")),
    async find(clientId) {
      const metadata = await store.findClient(clientId);
      return metadata === undefined ? undefined : { ...parsed(metadata), client_id: clientId };
    },
  };
}

const noRecords: Adapter = {
  upsert: () => Promise.resolve(),
  find: () => Promise.resolve(undefined),
  findByUserCode: () => Promise.resolve(undefined),
  findByUid: () => Promise.resolve(undefined),
  consume: () => Promise.resolve(),
  destroy: () => Promise.resolve(),
  revokeByGrantId: () => Promise.resolve(),
};

function noStorage(model: string, { revokeGrant }: ProviderStorageParts): Adapter {
  return model === "AccessToken" ? { ...noRecords, revokeByGrantId: revokeGrant } : noRecords;
}

function recordStorage(
  model: string,
  { store, clock, revokeGrant, usedTwice }: ProviderStorageParts,
): Adapter {
  return {
    ...noRecords,
    async upsert(id, { jti: _secret, ...payload }, expiresInS = 0) {
      const nowMs = clock.nowMs();
      const record = {
        payload: JSON.stringify(payload),
        expiresTs: nowMs + expiresInS * 1000 + (model === "DeviceCode" ? rememberedMs : 0),
        grantId: payload.grantId ?? null,
        userCode: payload.userCode ?? null,
      };
      const isStored = await store.putRecord(model, hashOf(id), record, nowMs);
      if (!isStored) throw new Error("a user code has been given twice");
    },
    async find(id) {
      // By the secret only: a hash, which may have been read somewhere, finds nothing.
      const payload = await store.findRecord(model, hashToken(id), clock.nowMs());
      return payload === undefined ? undefined : { ...parsed(payload), jti: id };
    },
    async findByUserCode(userCode) {
      const found = await store.findRecordByUserCode(userCode, clock.nowMs());
      if (!found) return undefined;
      return { ...parsed(found.payload), jti: hashMark + Buffer.from(found.idHash).toString("hex") };
    },
    async consume(id) {
      if (await store.consumeRecord(model, hashOf(id), clock.nowMs())) return;
      const grantId = parsed((await store.findRecord(model, hashOf(id), clock.nowMs())) ?? "{}").grantId;
      if (grantId !== undefined) await revokeGrant(grantId);
      throw usedTwice();
    },
    destroy: (id) => store.removeRecord(model, hashOf(id)),
    revokeByGrantId: (grantId) => store.removeRecordsOfGrant(model, grantId),
  };
}

function hashOf(id: string): Buffer {
  return id.startsWith(hashMark) ? Buffer.from(id.slice(hashMark.length), "hex") : hashToken(id);
}

/** JSON that oidc-provider has made itself. */
function parsed(payload: string): AdapterPayload {
  return JSON.parse(payload) as AdapterPayload;
}
