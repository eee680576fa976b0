import { timingSafeEqual } from "node:crypto";
import type { Sealer } from "../auth/sealer.ts";
import { encodeBase64Url } from "../protocol/base64.ts";
import { isJsonObject, type JsonObject } from "../protocol/json.ts";
import type { RandomBytes } from "../telemetry/random.ts";
import { fillTemplate, meetsAll } from "./claims.ts";
import { SignOnError } from "./errors.ts";
import type { ProviderConfig, SignOnSecrets, UpstreamProvider } from "./upstream-provider.ts";

/** What somebody signs in for. */
export type SignOnPurpose =
  /** A client that waits for a login token at this address. */
  | { readonly kind: "client"; readonly redirectUrl: string }
  /** A stage of user-interactive authentication. */
  | { readonly kind: "stage"; readonly session: string }
  /** A page of this server, by its path. */
  | { readonly kind: "page"; readonly path: string };

/** Somebody whom a provider has signed in. */
export interface ExternalIdentity {
  readonly providerId: string;
  readonly externalId: string;
  /** What the configuration makes of their claims; it may be no username, or taken. */
  readonly localpart: string | undefined;
  readonly displayName: string | undefined;
  readonly email: string | undefined;
}

/** What a browser has to bring along to the callback. */
export interface SignOnBeginning {
  readonly location: string;
  /** Names the cookie: several may be under way in one browser. */
  readonly key: string;
  readonly sealed: string;
}

export const signOnLifetimeMs = 15 * 60 * 1000;
const sealPurpose = "single sign-on";
const secretBytes = 32;
const keyLength = 12;

/** Signs people in by the providers of the configuration. Nothing of it is stored: the browser brings it along, sealed. */
export class SingleSignOn {
  readonly #providers: ReadonlyMap<string, UpstreamProvider>;
  readonly #sealer: Sealer;
  readonly #randomBytes: RandomBytes;
  readonly #callbackUrl: string;

  /** @param callbackUrl where providers send browsers back to */
  constructor(
    providers: readonly UpstreamProvider[],
    sealer: Sealer,
    randomBytes: RandomBytes,
    callbackUrl: string,
  ) {
    this.#providers = new Map(providers.map((provider) => [provider.config.id, provider]));
    this.#sealer = sealer;
    this.#randomBytes = randomBytes;
    this.#callbackUrl = callbackUrl;
  }

  /** In the order of the configuration. */
  get providers(): ProviderConfig[] {
    return [...this.#providers.values()].map(({ config }) => config);
  }

  provider(id: string): ProviderConfig | undefined {
    return this.#providers.get(id)?.config;
  }

  /**
   * Sends somebody to a provider.
   * @throws SignOnError when it cannot be asked for its endpoints; TypeError for a provider that is not there
   */
  async begin(providerId: string, purpose: SignOnPurpose): Promise<SignOnBeginning> {
    const provider = this.#providers.get(providerId);
    if (!provider) throw new TypeError(`there is no provider ${providerId}`);
    const secrets = { state: this.#secret(), nonce: this.#secret(), codeVerifier: this.#secret() };
    const location = await provider.signInUrl(this.#callbackUrl, secrets);
    const sealed = this.#sealer.seal(sealPurpose, { ...secrets, providerId, purpose }, signOnLifetimeMs);
    return { location: location.href, key: keyOf(secrets.state), sealed };
  }

  /** The key of what a browser has to have brought along when it comes back with this state. */
  keyFor(state: string): string {
    return keyOf(state);
  }

  /**
   * Takes in somebody who comes back from a provider.
   * @param query what the provider has added to the callback's address
   * @param sealed what the browser has brought along
   * @throws SignOnError
   */
  async finish(
    query: string,
    sealed: string | undefined,
  ): Promise<{ readonly identity: ExternalIdentity; readonly purpose: SignOnPurpose }> {
    const begun = sealed === undefined ? undefined : this.#sealer.open(sealPurpose, sealed);
    const state = new URLSearchParams(query).get("state") ?? "";
    if (!isBeginning(begun) || !isEqual(begun.state, state)) {
      throw new SignOnError("expired", "this browser has not begun to sign in, or too long ago");
    }
    const provider = this.#providers.get(begun.providerId);
    if (!provider) throw new SignOnError("expired", "the provider is not in the configuration any more");
    const answer = new URL(this.#callbackUrl);
    answer.search = query;
    const claims = await provider.claims(answer, begun);
    return { identity: identityOf(claims, provider.config), purpose: begun.purpose };
  }

  #secret(): string {
    return encodeBase64Url(this.#randomBytes(secretBytes));
  }
}

/** @throws SignOnError when the claims are not what is required */
function identityOf(claims: JsonObject, config: ProviderConfig): ExternalIdentity {
  const { id, subject, localpart, display_name: displayName, email } = config;
  if (!meetsAll(claims, config.required_attributes)) {
    throw new SignOnError("not-allowed", `${id}: somebody's claims are not what is required`);
  }
  const externalId = fillTemplate(subject, claims);
  if (externalId === undefined) {
    throw new SignOnError(
      "provider",
      `${id}: the claims do not say who somebody is, by the template ${subject}`,
    );
  }
  const filled = (template: string | null) =>
    template === null ? undefined : fillTemplate(template, claims);
  const isEmailProved = claims["email_verified"] === undefined || claims["email_verified"] === true;
  return {
    providerId: id,
    externalId,
    localpart: filled(localpart),
    displayName: filled(displayName),
    email: isEmailProved ? filled(email) : undefined,
  };
}

type Beginning = SignOnSecrets & { readonly providerId: string; readonly purpose: SignOnPurpose };

/** What this server has sealed itself is as it was. */
function isBeginning(opened: JsonObject | undefined): opened is JsonObject & Beginning {
  return opened !== undefined && typeof opened["state"] === "string" && isJsonObject(opened["purpose"]);
}

function keyOf(state: string): string {
  return state.slice(0, keyLength).replaceAll(/[^A-Za-z0-9_-]/g, "");
}

function isEqual(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
}
