import { readFileSync } from "node:fs";
import { BrowserSessions } from "../auth/browser-sessions.ts";
import { Sealer } from "../auth/sealer.ts";
import { deriveSecret } from "../auth/server-secret.ts";
import { pathsOf } from "../api/endpoint.ts";
import { ssoCallback } from "../api/pages/sso.ts";
import type { Config } from "../config/schema.ts";
import { fallbackPageHandlers } from "../http/handlers/fallback-pages.ts";
import { brandingHandlers, logoPath } from "../http/handlers/branding.ts";
import { SignOnCompletion } from "../http/handlers/sso-completion.ts";
import { Newcomers } from "../http/handlers/sso-newcomers.ts";
import { clientSignInPath } from "../http/handlers/sign-in-pages.ts";
import { ssoHandlers } from "../http/handlers/sso.ts";
import { ssoStagePage } from "../http/handlers/sso-stage.ts";
import { BrowserPages } from "../http/pages/browser-page.ts";
import type { BoundEndpoint } from "../http/pipeline.ts";
import type { OutboundHttp } from "../outbound/outbound-http.ts";
import { ExternalAccounts } from "../sso/external-accounts.ts";
import { SingleSignOn } from "../sso/single-sign-on.ts";
import { type ProviderConfig, UpstreamProvider } from "../sso/upstream-provider.ts";
import type { Clock } from "../telemetry/clock.ts";
import type { AccountParts } from "./accounts.ts";
import type { Foundation } from "./foundation.ts";
import { composeOAuth } from "./oauth.ts";
import { composeOutbound } from "./outbound.ts";

export interface SignInParts extends Disposable {
  readonly handlers: readonly BoundEndpoint[];
}

/**
 * Signing in by a browser: single sign-on, and the pages of this server.
 * @throws StartupError when the certificates for a provider, or the logo, cannot be used
 */
export function composeSignIn(foundation: Foundation, accounts: AccountParts): SignInParts {
  const { config, stores, clock, randomBytes, log, signingKey } = foundation;
  const { interactive, sessions, registration } = accounts;
  const serverName = config.server_name;
  const page = { pages: composePages(config), ownOrigin: new URL(config.public_base_url).origin };
  const sealer = new Sealer(deriveSecret(signingKey, "signing in"), clock, randomBytes);
  const browserSessions = new BrowserSessions(stores.browserSessions, clock, randomBytes);
  const connections = new DisposableStack();
  const providers = config.sso.providers.map((provider) =>
    composeProvider(provider, connections.use(composeOutbound(provider, clock)), clock),
  );
  const [callbackPath = ""] = pathsOf(ssoCallback);
  const singleSignOn = new SingleSignOn(
    providers,
    sealer,
    randomBytes,
    config.public_base_url + callbackPath,
  );
  const externalAccounts = new ExternalAccounts({
    ...stores,
    registration,
    appservices: foundation.appservices.registry,
    serverName,
    clock,
  });
  const trustedClients = config.sso.trusted_clients;
  const completion = new SignOnCompletion({
    ...page,
    sessions,
    interactive,
    browserSessions,
    sealer,
    trustedClients,
  });
  const { enabled: hasPages, legacy_password_login: clientPasswords } = config.oauth;
  const leadsToPages = hasPages && clientPasswords !== "offered";
  return {
    handlers: [
      ...brandingHandlers(config.branding.logo_file),
      ...fallbackPageHandlers(interactive, {
        stage: ssoStagePage({ ...page, singleSignOn, interactive, log }),
        policies: config.registration.terms,
        providers: singleSignOn.providers,
        hasPasswords: clientPasswords !== "off",
      }),
      ...ssoHandlers({
        ...page,
        singleSignOn,
        accounts: externalAccounts,
        completion,
        newcomers: new Newcomers(sealer),
        serverName,
        log,
        signInPath: leadsToPages ? clientSignInPath : undefined,
      }),
      ...(config.oauth.enabled
        ? composeOAuth(foundation, accounts, { page, browserSessions, singleSignOn, completion })
        : []),
    ],
    [Symbol.dispose]: () => connections.dispose(),
  };
}

function composePages({ branding, server_name: serverName }: Config): BrowserPages {
  return new BrowserPages({
    organisation: branding.organisation ?? serverName,
    accentColour: branding.accent_colour,
    logoPath: branding.logo_file === null ? undefined : logoPath,
  });
}

function composeProvider(config: ProviderConfig, http: OutboundHttp, clock: Clock): UpstreamProvider {
  const { client_secret: secret, client_secret_file: file } = config;
  const read = file === null ? (secret ?? undefined) : readFileSync(file, "utf8").trim();
  return new UpstreamProvider(config, read, http, clock);
}
