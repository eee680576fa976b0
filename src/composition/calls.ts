import { callHandlers } from "../http/handlers/calls.ts";
import { openIdHandlers } from "../http/handlers/openid.ts";
import { wellKnownHandlers } from "../http/handlers/well-known.ts";
import type { BoundEndpoint } from "../http/pipeline.ts";
import { rtcTransports } from "../services/calls/rtc-transports.ts";
import { TurnServers } from "../services/calls/turn-servers.ts";
import { OpenIdTokens } from "../services/openid.ts";
import type { Foundation } from "./foundation.ts";

/** What clients need for calls, and what they find out about the server beforehand. */
export function composeCalls({ config, stores, clock, randomBytes }: Foundation): readonly BoundEndpoint[] {
  const transports = rtcTransports(config.calls.livekit_service_urls);
  const tokens = new OpenIdTokens(stores.openIdTokens, clock, randomBytes);
  return [
    ...callHandlers(new TurnServers(config.calls.turn, clock), transports),
    ...wellKnownHandlers(config, transports),
    ...openIdHandlers(tokens, config.server_name),
  ];
}
