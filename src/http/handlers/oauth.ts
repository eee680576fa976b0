import { getAuthIssuer, getAuthMetadata } from "../../api/client/oauth.ts";
import {
  oauthAuthorize,
  oauthDevice,
  oauthKeys,
  oauthRegister,
  oauthResume,
  oauthRevoke,
  oauthToken,
} from "../../api/pages/oauth.ts";
import type { AuthorizationServer } from "../../oauth/authorization-server.ts";
import { clientIdOf, parseClientMetadata } from "../../oauth/client-metadata.ts";
import type { OAuthTokens } from "../../oauth/tokens.ts";
import type { OAuthStore } from "../../storage/oauth.ts";
import type { Clock } from "../../telemetry/clock.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";
import { HandedOver, Reply } from "../reply.ts";
import type { RequestContext } from "../request.ts";

export interface OAuthHandling {
  readonly server: AuthorizationServer;
  readonly tokens: OAuthTokens;
  readonly store: OAuthStore;
  readonly clock: Clock;
  /** What `GET /auth_metadata` tells. */
  readonly metadata: { readonly issuer: string };
}

/** A request whose body does not arrive is cut off. */
const requestTimeoutMs = 30_000;
const notCached = { "Cache-Control": "no-store" };

/** Client-server API, "OAuth 2.0 API": its endpoints, but for the pages that people see. */
export function oauthHandlers({ server, tokens, store, clock, metadata }: OAuthHandling): BoundEndpoint[] {
  const byProvider = async ({ context }: { readonly context: RequestContext }) =>
    new HandedOver(async (incoming, response) => {
      using timer = clock.setTimer(requestTimeoutMs, () => void incoming.destroy());
      response.once("close", () => timer.cancel());
      await server.answer(incoming, response, context.address);
    });
  return [
    handler(
      getAuthMetadata,
      async () => new Reply(200, metadata, { "Cache-Control": "public, max-age=600" }),
    ),
    handler(getAuthIssuer, async () => ({ issuer: metadata.issuer })),
    handler(oauthAuthorize, byProvider),
    handler(oauthResume, byProvider),
    handler(oauthToken, byProvider),
    handler(oauthDevice, byProvider),
    handler(oauthKeys, byProvider),
    handler(oauthRegister, async ({ body }) => {
      const outcome = parseClientMetadata(body);
      if ("fault" in outcome) {
        const { error, description } = outcome.fault;
        return new Reply(400, { error, error_description: description }, notCached);
      }
      const clientId = clientIdOf(outcome.metadata);
      await store.putClient(clientId, JSON.stringify(outcome.metadata), clock.nowMs());
      return new Reply(201, { client_id: clientId, ...outcome.metadata }, notCached);
    }),
    // Whoever has a token may revoke it, whichever client that is ("Token revocation").
    handler(oauthRevoke, async ({ body: { token } }) => {
      if (token === undefined) {
        const error = { error: "invalid_request", error_description: "missing required parameter: token" };
        return new Reply(400, error, notCached);
      }
      await tokens.revoke(token);
      return new Reply(200, {}, notCached);
    }),
  ];
}
