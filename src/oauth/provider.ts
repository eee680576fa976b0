import { createECDH } from "node:crypto";
import type Koa from "koa";
import type * as oidcProvider from "oidc-provider";
import type { Configuration, JWKS, KoaContextWithOIDC, Provider } from "oidc-provider";
import type { UserId } from "../protocol/identifiers.ts";
import type { Logger } from "../telemetry/log.ts";
import { oauthPaths } from "./paths.ts";
import { providerStorage, type ProviderStorageParts } from "./provider-storage.ts";
import { apiScopes, deviceOfScope, wholeScope } from "./scopes.ts";
import type { OAuthTokens } from "./tokens.ts";

type Library = typeof oidcProvider;

export interface ProviderParts extends Omit<ProviderStorageParts, "usedTwice"> {
  /** The server's public base URL, which is the issuer. */
  readonly issuer: string;
  /** 32 bytes, for cookies and the key that signs ID tokens. */
  readonly secret: Buffer;
  readonly tokens: OAuthTokens;
  /** Whether somebody can sign in (still). */
  readonly isUsable: (userId: UserId) => Promise<boolean>;
  /** The address of the client that makes a request. */
  readonly addressOf: (request: KoaContextWithOIDC["req"]) => string;
  /** Shows a user that a client has sent them here with a request that is none. */
  readonly showError: (ctx: KoaContextWithOIDC, description: string) => void;
  readonly log: Logger;
}

/** How long what is under way may take, in seconds. */
const lifetimesS = {
  AuthorizationCode: 60,
  DeviceCode: 20 * 60,
  Interaction: 30 * 60,
  Grant: 60 * 60,
  Session: 60 * 60,
  AccessToken: 60 * 60,
  IdToken: 60 * 60,
};

/**
 * The OAuth 2.0 server itself: oidc-provider, with our storage, our tokens and our pages. It decides whether a client gets
 * tokens; which ones, is for `OAuthTokens` to say.
 */
export async function makeProvider(parts: ProviderParts): Promise<Provider> {
  const library = await load(parts.log);
  const { issuer, log } = parts;
  const provider = new library.Provider(issuer, configuration(library, parts));
  const { origin, protocol, host } = new URL(issuer);
  // Where a request came in is not where browsers see this server: there may be proxies.
  Object.defineProperties(provider.request, {
    origin: { get: () => origin },
    protocol: { get: () => protocol.slice(0, -1) },
    host: { get: () => host },
    secure: { get: () => protocol === "https:" },
  });
  provider.on("server_error", (_ctx, error) => log.error({ err: error }, "an OAuth request failed"));
  const app: Koa = provider;
  app.on("error", (error: unknown) => log.warn({ err: error }, "an OAuth request failed"));
  provider.use(async (ctx, next) => {
    await next();
    await parts.tokens.replaceIn(ctx as KoaContextWithOIDC);
  });
  provider.registerGrantType(
    "refresh_token",
    (ctx) => parts.tokens.refresh(ctx, library.errors),
    ["refresh_token", "scope"],
    [],
  );
  return provider;
}

/** It says on the console that it does not know releases of Node.js that are no LTS releases: that is for the log. */
async function load(log: Logger): Promise<Library> {
  const { console } = globalThis;
  const warn = console.warn.bind(console);
  console.warn = (text: unknown) => log.debug(String(text));
  try {
    return await import("oidc-provider");
  } finally {
    console.warn = warn;
  }
}

function configuration(library: Library, parts: ProviderParts): Configuration {
  const { errors } = library;
  const usedTwice = () => new errors.InvalidGrant("the code was used before");
  const cookie = { signed: true, httpOnly: true, sameSite: "lax", path: "/" } as const;
  return {
    allowOmittingSingleRegisteredRedirectUri: false,
    adapter: providerStorage({ ...parts, usedTwice }),
    clientAuthMethods: ["none"],
    clientBasedCORS: () => true,
    clientDefaults: {
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "none",
      id_token_signed_response_alg: "ES256",
    },
    cookies: {
      keys: [parts.secret.toString("base64url")],
      names: {
        session: "hearth_oauth_session",
        interaction: "hearth_oauth_interaction",
        resume: "hearth_oauth_resume",
      },
      long: cookie,
      short: cookie,
    },
    claims: { openid: ["sub"] },
    expiresWithSession: () => false,
    extraParams: { [wholeScope]: (ctx) => keepScope(ctx, library) },
    features: {
      devInteractions: { enabled: false },
      deviceFlow: {
        enabled: true,
        charset: "base-20",
        mask: "****-****",
        deviceInfo: (ctx) => ({ address: parts.addressOf(ctx.req) }),
      },
      rpInitiatedLogout: { enabled: false },
      userinfo: { enabled: false },
      claimsParameter: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      resourceIndicators: { enabled: false },
    },
    findAccount: async (_ctx, userId) =>
      (await parts.isUsable(userId as UserId))
        ? { accountId: userId, claims: async () => ({ sub: userId }) }
        : undefined,
    interactions: {
      policy: interactionPolicy(library),
      url: (_ctx, { uid }) => oauthPaths.authorizePage.replace("{uid}", uid),
    },
    issueRefreshToken: () => false,
    jwks: signingKeys(parts.secret),
    pkce: { required: () => true },
    renderError: (ctx, { error, error_description: description }) =>
      parts.showError(ctx, description ?? error),
    responseTypes: ["code"],
    routes: {
      authorization: oauthPaths.authorization,
      token: oauthPaths.token,
      device_authorization: oauthPaths.deviceAuthorization,
      code_verification: oauthPaths.link,
      jwks: oauthPaths.keys,
    },
    scopes: ["openid", ...apiScopes],
    ttl: lifetimesS,
  };
}

/**
 * Every request is shown to the user, on one page that both signs in and asks for consent: the sessions of this server's
 * pages are not oidc-provider's, so it has nothing to go by.
 */
function interactionPolicy({ interactionPolicy: { Check, Prompt } }: Library) {
  const question = new Check("not_asked", "the user has to be asked", "login_required", (ctx) =>
    ctx.oidc.result?.consent === undefined ? Check.REQUEST_PROMPT : Check.NO_NEED_TO_PROMPT,
  );
  return [
    new Prompt({ name: "create", requestable: true }),
    new Prompt({ name: "login", requestable: true }, question),
    new Prompt({ name: "consent", requestable: true }),
  ];
}

/**
 * Keeps the scope as the client asked for it: oidc-provider knows fixed scopes only, and a device's is none.
 * @throws an error of oidc-provider's for a scope that is no device's
 */
function keepScope(ctx: KoaContextWithOIDC, { errors }: Library): void {
  const { params, body } = ctx.oidc;
  const given = (ctx.method === "POST" ? body : ctx.query)?.["scope"];
  const scope = typeof given === "string" ? given : "";
  const device = deviceOfScope(scope);
  if ("fault" in device) throw new errors.InvalidScope(device.fault, scope);
  if (params) params[wholeScope] = scope;
}

/** ID tokens, which some clients ask for, are signed by a key of the server's own that stays the same. */
function signingKeys(secret: Buffer): JWKS {
  const curve = createECDH("prime256v1");
  curve.setPrivateKey(secret);
  const point = curve.getPublicKey();
  const part = (from: number, to: number) => point.subarray(from, to).toString("base64url");
  const key = {
    kty: "EC",
    crv: "P-256",
    use: "sig",
    alg: "ES256",
    kid: part(1, 9),
    d: secret.toString("base64url"),
    x: part(1, 33),
    y: part(33, 65),
  };
  return { keys: [key] };
}
