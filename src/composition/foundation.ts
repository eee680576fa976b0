import type { Config } from "../config/schema.ts";
import { loadSigningKey } from "../federation/signing-key.ts";
import { type EventGraph, openEventGraph } from "../ingest/ingest.ts";
import type { LiveMemberships } from "../notifier/live-memberships.ts";
import type { Notifier } from "../notifier/notifier.ts";
import { serverNameOf, type UserId } from "../protocol/identifiers.ts";
import type { SigningKey } from "../protocol/ed25519.ts";
import type { Database, Stores } from "../storage/database.ts";
import { NameCache } from "../storage/name-cache.ts";
import type { Clock } from "../telemetry/clock.ts";
import type { Logger } from "../telemetry/log.ts";
import type { RandomBytes } from "../telemetry/random.ts";
import type { AppserviceParts } from "./appservices.ts";

/** What every domain stands on. */
export interface Foundation {
  readonly config: Config;
  readonly log: Logger;
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
  readonly signingKey: SigningKey;
  readonly stores: Stores;
  readonly names: NameCache;
  readonly notifier: Notifier;
  /** The joined rooms of active users, exact at every position that the notifier has told. */
  readonly memberships: LiveMemberships;
  readonly graph: EventGraph;
  readonly appservices: AppserviceParts;
}

export interface FoundationParts {
  readonly config: Config;
  readonly log: Logger;
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
  readonly database: Database;
  readonly notifier: Notifier;
  readonly memberships: LiveMemberships;
  readonly appservices: AppserviceParts;
}

/** @throws StartupError when the signing key cannot be used */
export async function composeFoundation({ database, ...parts }: FoundationParts): Promise<Foundation> {
  const { config, clock, randomBytes } = parts;
  const { stores } = database;
  const serverName = config.server_name;
  const signingKey = loadSigningKey(config.data_dir, randomBytes);
  const names = new NameCache(stores.names, (userId) => serverNameOf(userId as UserId) === serverName);
  const graph = await openEventGraph({ serverName, key: signingKey, stores, names, clock, randomBytes });
  return { ...parts, signingKey, stores, names, graph };
}
