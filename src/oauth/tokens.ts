import type { errors as providerErrors, KoaContextWithOIDC } from "oidc-provider";
import { hashToken } from "../auth/tokens.ts";
import { MatrixError } from "../protocol/matrix-error.ts";
import type { UserId } from "../protocol/identifiers.ts";
import type { Login } from "../services/accounts/login.ts";
import { familyOf, type LoggedIn, type SessionFactory } from "../services/accounts/new-session.ts";
import type { SessionsChanged } from "../services/accounts/sessions.ts";
import type { AccountStore } from "../storage/accounts.ts";
import type { OAuthSessionStore } from "../storage/oauth.ts";
import { deviceOfScope } from "./scopes.ts";

export interface OAuthTokenParts {
  readonly accounts: AccountStore;
  readonly sessions: OAuthSessionStore;
  readonly logins: Login;
  readonly factory: SessionFactory;
  readonly sessionsChanged: SessionsChanged;
}

/** The tokens of the OAuth 2.0 API: those of ordinary sessions, so that nothing else has to know where they come from. */
export class OAuthTokens {
  readonly #parts: OAuthTokenParts;

  constructor(parts: OAuthTokenParts) {
    this.#parts = parts;
  }

  /** Once oidc-provider has decided that a client gets tokens, gives it those of a new session in place of its own. */
  async replaceIn(ctx: KoaContextWithOIDC): Promise<void> {
    // Not set for requests that fit no route.
    const oidc = ctx.oidc as KoaContextWithOIDC["oidc"] | undefined;
    const granted = oidc?.route === "token" && ctx.status === 200 ? oidc.entities.AccessToken : undefined;
    if (!granted || !oidc?.client) return;
    const { accountId, grantId } = granted;
    // The token's own scope has no device: see `wholeScope`.
    const scope = oidc.entities.Grant?.getOIDCScope();
    const { clientId, clientName } = oidc.client;
    const answer = ctx.body as Record<string, unknown>;
    try {
      const loggedIn = await this.#start(accountId, { clientId, clientName, grantId, scope });
      ctx.body = {
        ...tokenJson(loggedIn),
        scope,
        ...(typeof answer["id_token"] === "string" && { id_token: answer["id_token"] }),
      };
    } catch (error) {
      if (!(error instanceof MatrixError)) throw error;
      ctx.status = 400;
      ctx.body = { error: "invalid_grant", error_description: error.message };
    }
  }

  /** The grant `refresh_token`, with rotation; a token that was used before ends its session. */
  async refresh(ctx: KoaContextWithOIDC, errors: typeof providerErrors): Promise<void> {
    const token = ctx.oidc.params?.["refresh_token"];
    if (typeof token !== "string") throw new errors.InvalidRequest("missing required parameter(s)", 400);
    const family = familyOf(token);
    const clientId = ctx.oidc.client?.clientId;
    if (family === undefined || clientId === undefined) {
      throw new errors.InvalidGrant("the refresh token is not known");
    }
    const { tokens, credentials } = this.#parts.factory.createTokens(true, family);
    const { sessions, sessionsChanged } = this.#parts;
    const outcome = await sessions.refresh(hashToken(token), hashToken(family), clientId, tokens);
    if (outcome === "unknown") throw new errors.InvalidGrant("the refresh token is not known");
    if ("reusedBy" in outcome) {
      sessionsChanged(outcome.reusedBy.userNid);
      throw new errors.InvalidGrant("the refresh token was used before: its session has been ended");
    }
    sessionsChanged(outcome.userNid);
    ctx.body = tokenJson(credentials);
  }

  /** Ends the session of a token, whichever of its tokens it is, and its device with it (RFC 7009). */
  async revoke(token: string): Promise<void> {
    const device = await this.#parts.sessions.revoke(hashToken(token));
    if (device) this.#parts.sessionsChanged(device.userNid);
  }

  /** Ends the sessions that a grant has led to. */
  async revokeGrant(grantId: string): Promise<void> {
    const devices = await this.#parts.sessions.revokeGrant(grantId);
    for (const { userNid } of devices) this.#parts.sessionsChanged(userNid);
  }

  /** @throws MatrixError when the account cannot be used (any more), or not as this device */
  async #start(
    userId: string,
    client: {
      clientId: string;
      clientName?: string | undefined;
      grantId?: string | undefined;
      scope?: string | undefined;
    },
  ): Promise<LoggedIn> {
    const { clientId, clientName, grantId, scope = "" } = client;
    const account = await this.#parts.accounts.find(userId as UserId);
    const device = deviceOfScope(scope);
    if (!account || grantId === undefined || "fault" in device) {
      throw new MatrixError("M_FORBIDDEN", "the grant is not one for a device of an account");
    }
    return this.#parts.logins.asUser(account.userNid, {
      deviceId: device.deviceId,
      displayName: clientName?.slice(0, 100),
      canRefresh: true,
      oauth: { clientId, grantId },
    });
  }
}

function tokenJson({
  accessToken,
  refreshToken,
  expiresInMs = 0,
}: Pick<LoggedIn, "accessToken" | "refreshToken" | "expiresInMs">): object {
  return {
    access_token: accessToken,
    token_type: "Bearer",
    expires_in: Math.floor(expiresInMs / 1000),
    refresh_token: refreshToken,
  };
}
