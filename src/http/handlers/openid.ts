import { requestOpenIdToken } from "../../api/client/openid.ts";
import { exchangeOpenIdToken } from "../../api/federation/openid.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { OpenIdTokens } from "../../services/openid.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";
import { ownUser } from "./path-parameters.ts";

/** Client-server API, "OpenID"; server-server API, "OpenID". */
export function openIdHandlers(tokens: OpenIdTokens, serverName: string): BoundEndpoint[] {
  return [
    handler(requestOpenIdToken, async ({ params, requester }) => {
      const { token, expiresInMs } = await tokens.issue(ownUser(requester, params.userId));
      return {
        access_token: token,
        expires_in: expiresInMs / 1000,
        matrix_server_name: serverName,
        token_type: "Bearer",
      };
    }),
    handler(exchangeOpenIdToken, async ({ query }) => {
      if (query.access_token === undefined) {
        throw new MatrixError(
          "M_MISSING_TOKEN",
          "The OpenID token goes into the query parameter access_token",
        );
      }
      return { sub: await tokens.ownerOf(query.access_token) };
    }),
  ];
}
