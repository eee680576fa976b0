import type { Config } from "../config/schema.ts";
import type { FederationClient } from "../federation/federation-client.ts";
import { HeardServers } from "../federation/heard-servers.ts";
import { PolicyServers } from "../federation/policy-servers.ts";
import { ServerPolicy } from "../federation/server-policy.ts";
import { loadSigningKey } from "../federation/signing-key.ts";
import { type EventGraph, openEventGraph } from "../ingest/ingest.ts";
import type { LiveMemberships } from "../notifier/live-memberships.ts";
import type { Notifier } from "../notifier/notifier.ts";
import { serverNameOf, type UserId } from "../protocol/identifiers.ts";
import { policyTypes } from "../protocol/policy-server.ts";
import type { SigningKey } from "../protocol/ed25519.ts";
import { PartialRooms } from "../state/partial-rooms.ts";
import type { Database, Stores } from "../storage/database.ts";
import { NameCache } from "../storage/name-cache.ts";
import type { AuditLog } from "../admin/audit-log.ts";
import type { Clock } from "../telemetry/clock.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Observations } from "../telemetry/observations.ts";
import type { RandomBytes } from "../telemetry/random.ts";
import type { AppserviceParts } from "./appservices.ts";
import { composeFederationClient } from "./federation-client.ts";

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
  /** Rooms of which not all members are known yet. */
  readonly partialRooms: PartialRooms;
  /** With which servers this one talks. */
  readonly serverPolicy: ServerPolicy;
  /** Requests to other servers. */
  readonly federationClient: FederationClient;
  /** Told of each server that has sent something. */
  readonly heardServers: HeardServers;
  readonly policyServers: PolicyServers;
  readonly appservices: AppserviceParts;
  readonly auditLog: AuditLog;
  /** What goes on in the server, for those who count it. */
  readonly observations: Observations;
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
  readonly auditLog: AuditLog;
  readonly observations: Observations;
}

/** @throws StartupError when the signing key cannot be used */
export async function composeFoundation({ database, ...parts }: FoundationParts): Promise<Foundation> {
  const { config, clock, randomBytes, observations } = parts;
  const { stores } = database;
  const serverName = config.server_name;
  const signingKey = loadSigningKey(config.data_dir, randomBytes);
  const names = new NameCache(stores.names, (userId) => serverNameOf(userId as UserId) === serverName);
  const { allowed_servers: allowed, denied_servers: denied } = config.federation;
  const serverPolicy = new ServerPolicy(allowed ?? undefined, denied);
  const federationClient = composeFederationClient({
    config,
    key: signingKey,
    policy: serverPolicy,
    clock,
    randomBytes,
    observations,
  });
  const policyServers = await composePolicyServers(parts, stores, names, federationClient);
  const partialRooms = await PartialRooms.open(stores.partialRooms);
  parts.notifier.follow(["timeline"], partialRooms.committed);
  const graph = await openEventGraph({
    serverName,
    key: signingKey,
    stores,
    names,
    clock,
    randomBytes,
    policy: policyServers,
    partialRooms,
    resolutions: observations.resolutions,
  });
  return {
    ...parts,
    signingKey,
    stores,
    names,
    graph,
    partialRooms,
    serverPolicy,
    federationClient,
    heardServers: new HeardServers(),
    policyServers,
  };
}

async function composePolicyServers(
  { notifier, clock }: Pick<FoundationParts, "notifier" | "clock">,
  { memberships }: Stores,
  names: NameCache,
  client: FederationClient,
): Promise<PolicyServers> {
  // Every event asks for them, and most rooms have neither: known names are found in memory.
  for (const type of Object.values(policyTypes)) await names.internStatePair(type, "");
  const policyServers = new PolicyServers({ client, memberships, clock });
  notifier.follow(["membership"], policyServers.committed);
  return policyServers;
}
