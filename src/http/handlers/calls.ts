import { getRtcTransports, getTurnServer } from "../../api/client/calls.ts";
import type { RtcTransport } from "../../services/calls/rtc-transports.ts";
import type { TurnServers } from "../../services/calls/turn-servers.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";

/** Client-server API, "Voice over IP"; MSC4143, "Discovery of RTC transports". */
export function callHandlers(turn: TurnServers, transports: readonly RtcTransport[]): BoundEndpoint[] {
  return [
    handler(getTurnServer, async ({ requester }) => {
      const { uris, username, password, lifetimeSeconds } = turn.credentialsFor(requester);
      return { uris, username, password, ttl: lifetimeSeconds };
    }),
    handler(getRtcTransports, async () => ({ rtc_transports: transports })),
  ];
}
