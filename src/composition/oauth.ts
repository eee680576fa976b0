import type { BrowserSessions } from "../auth/browser-sessions.ts";
import { deriveSecret } from "../auth/server-secret.ts";
import { errorPage, type PageParts, readerOf } from "../http/browser-request.ts";
import { accountPageHandlers } from "../http/handlers/account-pages.ts";
import { BrowserIdentity } from "../http/handlers/browser-identity.ts";
import { consentPageHandlers } from "../http/handlers/consent-pages.ts";
import { oauthHandlers } from "../http/handlers/oauth.ts";
import { canRegisterByPage, registerPageHandlers } from "../http/handlers/register-page.ts";
import { signInPageHandlers } from "../http/handlers/sign-in-pages.ts";
import type { SignOnCompletion } from "../http/handlers/sso-completion.ts";
import type { BoundEndpoint } from "../http/pipeline.ts";
import { AuthorizationServer } from "../oauth/authorization-server.ts";
import { makeProvider } from "../oauth/provider.ts";
import { serverMetadata } from "../oauth/server-metadata.ts";
import { OAuthTokens } from "../oauth/tokens.ts";
import type { SingleSignOn } from "../sso/single-sign-on.ts";
import type { AccountParts } from "./accounts.ts";
import type { Foundation } from "./foundation.ts";

/** What the OAuth 2.0 API shares with single sign-on. */
export interface BrowserParts {
  readonly page: PageParts;
  readonly browserSessions: BrowserSessions;
  readonly singleSignOn: SingleSignOn;
  readonly completion: SignOnCompletion;
}

/** The OAuth 2.0 API, with the pages on which people sign in, agree, and look after their accounts. */
export function composeOAuth(
  foundation: Foundation,
  accounts: AccountParts,
  { page, browserSessions, singleSignOn, completion }: BrowserParts,
): BoundEndpoint[] {
  const { config, stores, clock, log, signingKey } = foundation;
  const { logins, factory, sessionsChanged, registration, tokenStage, devices, ownAccount } = accounts;
  const policy = config.registration;
  const canRegister = canRegisterByPage(policy);
  const identity = new BrowserIdentity(browserSessions, stores.accounts, page.ownOrigin);
  const metadata = serverMetadata(config.public_base_url, canRegister);
  const tokens = new OAuthTokens({
    accounts: stores.accounts,
    sessions: stores.oauthSessions,
    logins,
    factory,
    sessionsChanged,
  });
  const server = new AuthorizationServer((addressOf) =>
    makeProvider({
      issuer: metadata.issuer,
      secret: deriveSecret(signingKey, "OAuth 2.0"),
      store: stores.oauth,
      tokens,
      revokeGrant: (grantId) => tokens.revokeGrant(grantId),
      isUsable: async (userId) => {
        const account = await stores.accounts.find(userId);
        return account !== undefined && !account.isDeactivated && !account.isLocked;
      },
      addressOf,
      showError: (ctx, description) => {
        const reader = readerOf({ context: { incoming: ctx.req } });
        const text = `${reader.texts.errors.noClient} (${description})`;
        const { body, headers } = errorPage(page.pages, reader, text, ctx.status);
        ctx.set({ ...headers });
        ctx.body = body;
      },
      clock,
      log,
    }),
  );
  return [
    ...oauthHandlers({ server, tokens, store: stores.oauth, clock, metadata }),
    ...signInPageHandlers({
      ...page,
      logins,
      browserSessions,
      identity,
      singleSignOn,
      completion,
      canRegister,
      log,
    }),
    ...registerPageHandlers({
      ...page,
      registration,
      accounts: stores.accounts,
      appservices: foundation.appservices.registry,
      tokenStage,
      browserSessions,
      serverName: config.server_name,
      policy,
    }),
    ...consentPageHandlers({ ...page, server, identity, canRegister }),
    ...accountPageHandlers({ ...page, identity, devices, ownAccount, resets: accounts.crossSigningResets }),
  ];
}
