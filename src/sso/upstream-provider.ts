import type * as openIdClient from "openid-client";
import type { ClientAuth, Configuration, ServerMetadata } from "openid-client";
import type { Config } from "../config/schema.ts";
import type { OutboundHttp } from "../outbound/outbound-http.ts";
import { isJsonObject, type JsonObject } from "../protocol/json.ts";
import type { Clock } from "../telemetry/clock.ts";
import { SignOnError } from "./errors.ts";
import { outboundFetch } from "./outbound-fetch.ts";

type OpenIdClient = typeof openIdClient;

export type ProviderConfig = Config["sso"]["providers"][number];

/** What ties the answer of a provider to the question, and both to a browser. */
export interface SignOnSecrets {
  readonly state: string;
  readonly nonce: string;
  /** Of RFC 7636: what the code is of no use without. */
  readonly codeVerifier: string;
}

/** What a provider tells about itself is asked for again after this long. */
const discoveryLifetimeMs = 60 * 60 * 1000;

/** An OpenID Connect provider at which people sign in; the protocol itself is openid-client's. */
export class UpstreamProvider {
  readonly config: ProviderConfig;
  readonly #secret: string | undefined;
  readonly #fetch: ReturnType<typeof outboundFetch>;
  readonly #clock: Clock;
  #known: { readonly metadata: Promise<ServerMetadata>; readonly sinceMs: number } | undefined;

  /** @param secret the client's secret at the provider, if it has one */
  constructor(config: ProviderConfig, secret: string | undefined, http: OutboundHttp, clock: Clock) {
    this.config = config;
    this.#secret = secret;
    this.#fetch = outboundFetch(http, config.timeout_ms);
    this.#clock = clock;
  }

  /**
   * Where the browser has to go.
   * @param callbackUrl where it comes back to
   * @throws SignOnError when the provider cannot be asked for its endpoints
   */
  async signInUrl(callbackUrl: string, { state, nonce, codeVerifier }: SignOnSecrets): Promise<URL> {
    const library = await import("openid-client");
    const configuration = await this.#configuration();
    return library.buildAuthorizationUrl(configuration, {
      redirect_uri: callbackUrl,
      scope: this.config.scopes.join(" "),
      state,
      ...(this.#isOpenId && { nonce }),
      code_challenge: await library.calculatePKCECodeChallenge(codeVerifier),
      code_challenge_method: "S256",
    });
  }

  /**
   * Exchanges the code with which the browser came back for what the provider tells of the person.
   * @param answer the callback's URL with its query
   * @throws SignOnError when the provider refuses, when the answer is not to our question, when it does not answer
   */
  async claims(answer: URL, { state, nonce, codeVerifier }: SignOnSecrets): Promise<JsonObject> {
    const library = await import("openid-client");
    const configuration = await this.#configuration();
    try {
      const tokens = await library.authorizationCodeGrant(configuration, answer, {
        expectedState: state,
        pkceCodeVerifier: codeVerifier,
        ...(this.#isOpenId && { expectedNonce: nonce, idTokenExpected: true }),
      });
      const idClaims = tokens.claims();
      const hasUserInfo = configuration.serverMetadata().userinfo_endpoint !== undefined;
      if (!this.config.user_info || !hasUserInfo) return claimsObject(idClaims);
      const subject = idClaims?.sub ?? library.skipSubjectCheck;
      const userInfo = await library.fetchUserInfo(configuration, tokens.access_token, subject);
      return claimsObject({ ...userInfo, ...idClaims });
    } catch (error) {
      throw failed(`${this.config.id} did not sign somebody in`, error);
    }
  }

  get #isOpenId(): boolean {
    return this.config.scopes.includes("openid");
  }

  /**
   * Made for each sign-in: it keeps the provider's keys, and with a key that the provider has just begun to use nobody
   * could sign in for a while.
   */
  async #configuration(): Promise<Configuration> {
    const library = await import("openid-client");
    const metadata = givenEndpoints(this.config) ?? (await this.#discovered());
    const { client_id: clientId, clock_skew_s: skewS, timeout_ms: timeoutMs } = this.config;
    const client = { [library.clockTolerance]: skewS };
    const configuration = new library.Configuration(
      { ...metadata },
      clientId,
      client,
      this.#clientAuth(library),
    );
    configuration[library.customFetch] = this.#fetch;
    configuration.timeout = Math.ceil(timeoutMs / 1000);
    if (this.#isInsecure) library.allowInsecureRequests(configuration);
    // TLS alone would be taken for enough; the signature is checked wherever there are keys to check it with.
    if (metadata.jwks_uri !== undefined) library.enableNonRepudiationChecks(configuration);
    return configuration;
  }

  /** What the provider tells about itself. */
  #discovered(): Promise<ServerMetadata> {
    const nowMs = this.#clock.monotonicMs();
    if (this.#known && nowMs - this.#known.sinceMs < discoveryLifetimeMs) return this.#known.metadata;
    const metadata = this.#discover().catch((error: unknown) => {
      // It is asked again for the next one who wants to sign in.
      this.#known = undefined;
      throw failed(`${this.config.id} could not be asked for its endpoints`, error);
    });
    this.#known = { metadata, sinceMs: nowMs };
    return metadata;
  }

  async #discover(): Promise<ServerMetadata> {
    const library = await import("openid-client");
    const { issuer, client_id: clientId, timeout_ms: timeoutMs } = this.config;
    const found = await library.discovery(new URL(issuer), clientId, undefined, this.#clientAuth(library), {
      [library.customFetch]: this.#fetch,
      timeout: Math.ceil(timeoutMs / 1000),
      ...(this.#isInsecure && { execute: [library.allowInsecureRequests] }),
    });
    return found.serverMetadata();
  }

  get #isInsecure(): boolean {
    return this.config.issuer.startsWith("http:");
  }

  #clientAuth({ None, ClientSecretBasic, ClientSecretPost }: OpenIdClient): ClientAuth {
    const { client_auth_method: method } = this.config;
    if (this.#secret === undefined || method === "none") return None();
    return method === "client_secret_post" ? ClientSecretPost(this.#secret) : ClientSecretBasic(this.#secret);
  }
}

/** The endpoints of the configuration, when it has those without which nobody can sign in. */
function givenEndpoints(config: ProviderConfig): ServerMetadata | undefined {
  const { issuer, authorization_endpoint: authorization, token_endpoint: token } = config;
  if (authorization === null || token === null) return undefined;
  return {
    issuer,
    authorization_endpoint: authorization,
    token_endpoint: token,
    ...(config.userinfo_endpoint !== null && { userinfo_endpoint: config.userinfo_endpoint }),
    ...(config.jwks_uri !== null && { jwks_uri: config.jwks_uri }),
  };
}

function claimsObject(claims: unknown): JsonObject {
  const plain: unknown = JSON.parse(JSON.stringify(claims ?? {}));
  return isJsonObject(plain) ? plain : {};
}

function failed(what: string, cause: unknown): SignOnError {
  return new SignOnError("provider", what, { cause });
}
