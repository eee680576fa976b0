import type { Config } from "../config/schema.ts";
import type { FederationClient } from "../federation/federation-client.ts";
import { serverDns } from "../federation/resolution/server-dns.ts";
import { ServerResolver } from "../federation/resolution/server-resolver.ts";
import { WellKnownServers } from "../federation/resolution/well-known.ts";
import { SignedFederationClient } from "../federation/signed-client.ts";
import { NameServers } from "../outbound/resolution/name-servers.ts";
import { ObservedFederationClient } from "../federation/observed-client.ts";
import { PolicedFederationClient } from "../federation/policed-client.ts";
import type { ServerPolicy } from "../federation/server-policy.ts";
import type { SigningKey } from "../protocol/ed25519.ts";
import type { Clock } from "../telemetry/clock.ts";
import type { Observations } from "../telemetry/observations.ts";
import { type RandomBytes, randomFraction } from "../telemetry/random.ts";
import { composeOutbound } from "./outbound.ts";

export interface FederationClientSources {
  readonly config: Config;
  readonly key: SigningKey;
  readonly policy: ServerPolicy;
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
  readonly observations: Observations;
}

/**
 * What sends requests to other servers: to those that it may talk to, and to none where federation is off.
 * @throws StartupError when the certificates for them cannot be used
 */
export function composeFederationClient({
  config,
  key,
  policy,
  clock,
  randomBytes,
  observations,
}: FederationClientSources): FederationClient {
  const http = composeOutbound(config.federation, clock);
  const resolver = new ServerResolver({
    dns: serverDns(new NameServers(clock)),
    wellKnown: new WellKnownServers(http, clock),
    clock,
    random: () => randomFraction(randomBytes),
  });
  const signed = new SignedFederationClient({ serverName: config.server_name, key, resolver, http });
  const client = new ObservedFederationClient(signed, observations.federationRequests, clock);
  return new PolicedFederationClient(client, config.federation.enabled ? policy : undefined);
}
