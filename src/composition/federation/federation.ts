import { type EduReceiver } from "../../federation/inbound/edu-receivers.ts";
import { ServerAuthenticator } from "../../federation/inbound/server-authenticator.ts";
import type { FederationSender } from "../../federation/sending/federation-sender.ts";
import { serverKeyHandlers } from "../../http/handlers/federation/server-keys.ts";
import { federationServerHandlers } from "../../http/handlers/federation/server.ts";
import { queryHandlers } from "../../http/handlers/federation/queries.ts";
import type { BoundEndpoint } from "../../http/pipeline.ts";
import type { Profiles } from "../../services/profiles/profiles.ts";
import type { Foundation } from "../foundation.ts";
import type { TimelineParts } from "../timeline.ts";
import type { FederatedEphemeral } from "./ephemeral.ts";
import type { RemoteEncryption } from "./encryption.ts";
import { composeFederationInbound } from "./inbound.ts";
import type { FederationParts } from "./parts.ts";
import { composeFederationServing, type ServedRoomParts } from "./serving.ts";

export interface Federation extends AsyncDisposable {
  readonly authenticator: ServerAuthenticator;
  /** None where federation is off. */
  readonly handlers: readonly BoundEndpoint[];
  /** Takes up what was left when the server stopped. To be called once, before anything is served. */
  start(): Promise<void>;
}

export interface FederationSources {
  readonly timeline: Pick<TimelineParts, "views">;
  readonly rooms: ServedRoomParts;
  readonly profiles: Profiles;
  /** Absent where federation is off. */
  readonly sender: FederationSender | undefined;
  readonly ephemeral: Pick<FederatedEphemeral, "resume">;
  /** Who takes the EDUs of each type. */
  readonly edus: ReadonlyMap<string, EduReceiver>;
  /** Absent where federation is off. */
  readonly encryption: RemoteEncryption | undefined;
}

/** What other servers ask and send. */
export function composeFederation(
  foundation: Foundation,
  parts: FederationParts,
  { timeline, rooms, profiles, sender, ephemeral, edus, encryption }: FederationSources,
): Federation {
  const { config, clock } = foundation;
  const accepted = encryption?.received ?? (() => Promise.resolve());
  const inbound = composeFederationInbound(foundation, parts, edus, accepted);
  const authenticator = new ServerAuthenticator({
    ownName: config.server_name,
    keyring: parts.keyring,
    policy: parts.policy,
    clock,
    heard: foundation.heardServers.tell,
  });
  const handlers = () => [
    ...serverKeyHandlers(parts.ownKeys),
    ...federationServerHandlers(config.federation.public_address),
    ...inbound.handlers,
    ...composeFederationServing(foundation, parts, timeline.views, rooms),
    // After the queries that are known: this takes the others.
    ...queryHandlers(profiles),
  ];
  return {
    authenticator,
    handlers: sender ? handlers() : [],
    async start() {
      if (!sender) return;
      parts.completions.resume();
      await inbound.resume();
      await sender.resume();
      await encryption?.resume();
      ephemeral.resume();
    },
    [Symbol.asyncDispose]: () => inbound[Symbol.asyncDispose](),
  };
}
