import { hash } from "node:crypto";
import type { OutboundHttp } from "../../outbound/outbound-http.ts";
import { OutboundError } from "../../outbound/errors.ts";
import { encodeCanonicalJson } from "../../protocol/canonical-json.ts";
import type { SigningKey } from "../../protocol/ed25519.ts";
import { parseUserId, type ServerName, type UserId } from "../../protocol/identifiers.ts";
import { isJsonObject, type JsonObject } from "../../protocol/json.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import { authorizeRequest } from "../../protocol/x-matrix.ts";
import type { ContactAddress } from "../../storage/contacts.ts";
import { IdentityServerError } from "./identity-server-error.ts";

/** An identity server, and the token that a user has from it. */
export interface IdentityAccess {
  readonly identityServer: string;
  readonly accessToken: string;
}

/** What an identity server made of an invitation (identity service API, "Invitation storage"). */
export interface StoredInvitation {
  readonly token: string;
  readonly displayName: string;
  /** Each with `public_key`, and `key_validity_url` if it has one. */
  readonly publicKeys: readonly JsonObject[];
}

export interface IdentityServerParts {
  readonly http: OutboundHttp;
  /** Host names in lower case, with a port if they have one. */
  readonly allowed: readonly string[];
  readonly serverName: ServerName;
  readonly signingKey: SigningKey;
}

const timeoutMs = 15_000;
const maxResponseBytes = 256 * 1024;
const maxPublicKeys = 16;

/** Requests to identity servers (identity service API): to those that the operator allows, by HTTPS. */
export class IdentityServers {
  readonly #parts: IdentityServerParts;

  constructor(parts: IdentityServerParts) {
    this.#parts = parts;
  }

  /**
   * The name of an identity server that a request names.
   * @throws MatrixError M_SERVER_NOT_TRUSTED for one that is not allowed
   */
  trusted(named: string): string {
    const host = named.toLowerCase().replace(/^https:\/\//, "");
    if (this.#parts.allowed.includes(host)) return host;
    throw new MatrixError("M_SERVER_NOT_TRUSTED", "This server does not work with this identity server");
  }

  isTrusted(host: string): boolean {
    return this.#parts.allowed.includes(host);
  }

  /**
   * Publishes that an address, which was proved to the identity server, belongs to a user.
   * @returns the address
   * @throws IdentityServerError
   */
  async bind(
    { identityServer, accessToken }: IdentityAccess,
    session: { readonly sid: string; readonly clientSecret: string },
    userId: UserId,
  ): Promise<ContactAddress> {
    const body = { sid: session.sid, client_secret: session.clientSecret, mxid: userId };
    const answer = await this.#call(identityServer, "POST", "/3pid/bind", body, bearer(accessToken));
    const { medium, address } = answer;
    if ((medium !== "email" && medium !== "msisdn") || typeof address !== "string") throw badAnswer();
    return { medium, address };
  }

  /**
   * Takes an address back, with this server's signature.
   * @returns false when the identity server does not do that
   * @throws IdentityServerError
   */
  async unbind(
    identityServer: string,
    userId: UserId,
    { medium, address }: ContactAddress,
  ): Promise<boolean> {
    const { serverName, signingKey } = this.#parts;
    const body = { mxid: userId, threepid: { medium, address } };
    const authorization = authorizeRequest(
      {
        method: "POST",
        uri: "/_matrix/identity/v2/3pid/unbind",
        origin: serverName,
        destination: identityServer as ServerName,
        content: encodeCanonicalJson(body, { strict: true }),
      },
      signingKey,
    );
    try {
      await this.#call(identityServer, "POST", "/3pid/unbind", body, authorization);
      return true;
    } catch (error) {
      if (error instanceof IdentityServerError && !error.isMatrixError && isUnsupported(error)) return false;
      throw error;
    }
  }

  /** The user whose address it is, as far as the identity server knows. @throws IdentityServerError */
  async lookUp(
    { identityServer, accessToken }: IdentityAccess,
    { medium, address }: ContactAddress,
  ): Promise<UserId | undefined> {
    const authorization = bearer(accessToken);
    const details = await this.#call(identityServer, "GET", "/hash_details", undefined, authorization);
    const { lookup_pepper: pepper, algorithms } = details;
    if (typeof pepper !== "string" || !Array.isArray(algorithms) || !algorithms.includes("sha256"))
      throw badAnswer();
    const hashed = hash("sha256", `${address} ${medium} ${pepper}`, "base64url");
    const query = { algorithm: "sha256", pepper, addresses: [hashed] };
    const { mappings } = await this.#call(identityServer, "POST", "/lookup", query, authorization);
    const userId = isJsonObject(mappings) && Object.hasOwn(mappings, hashed) ? mappings[hashed] : undefined;
    return typeof userId === "string" ? parseUserId(userId) : undefined;
  }

  /** Leaves an invitation for whoever will prove to have an address. @throws IdentityServerError */
  async storeInvitation(
    { identityServer, accessToken }: IdentityAccess,
    invitation: JsonObject,
  ): Promise<StoredInvitation> {
    const answer = await this.#call(identityServer, "POST", "/store-invite", invitation, bearer(accessToken));
    const { token, display_name: displayName, public_keys: publicKeys } = answer;
    const keys = (Array.isArray(publicKeys) ? publicKeys : []).filter(isPublicKey).slice(0, maxPublicKeys);
    if (typeof token !== "string" || token === "" || typeof displayName !== "string" || keys.length === 0) {
      throw badAnswer();
    }
    return { token, displayName, publicKeys: keys };
  }

  /** Whether a key is still good, by the address that came with it. @throws IdentityServerError */
  async isKeyValid(validityUrl: string, publicKey: string): Promise<boolean> {
    const url = URL.parse(validityUrl);
    if (url?.protocol !== "https:") return false;
    url.searchParams.set("public_key", publicKey);
    const { valid } = await this.#request("GET", url, undefined, undefined);
    return valid === true;
  }

  #call(
    host: string,
    method: "GET" | "POST",
    path: string,
    body: JsonObject | undefined,
    authorization: string,
  ): Promise<JsonObject> {
    return this.#request(method, new URL(`https://${host}/_matrix/identity/v2${path}`), body, authorization);
  }

  async #request(
    method: "GET" | "POST",
    url: URL,
    body: JsonObject | undefined,
    authorization: string | undefined,
  ): Promise<JsonObject> {
    try {
      const response = await this.#parts.http.request({
        method,
        url,
        headers: {
          Accept: "application/json",
          ...(authorization !== undefined && { Authorization: authorization }),
          ...(body && { "Content-Type": "application/json" }),
        },
        ...(body && { body: encodeCanonicalJson(body, { strict: true }) }),
        timeoutMs,
        maxResponseBytes,
      });
      const answer = jsonOf(response.body);
      if (response.status >= 200 && response.status < 300 && answer) return answer;
      throw IdentityServerError.ofAnswer(response.status, answer);
    } catch (error) {
      if (error instanceof OutboundError) throw IdentityServerError.unreachable(error);
      throw error;
    }
  }
}

function bearer(accessToken: string): string {
  return `Bearer ${accessToken.replaceAll(/[^\x21-\x7e]/g, "")}`;
}

/** "If the response body is not a JSON Matrix error, the identity server does not support unbinds." */
function isUnsupported({ remoteStatus }: IdentityServerError): boolean {
  return [400, 404, 405, 501].includes(remoteStatus);
}

function isPublicKey(value: unknown): value is JsonObject {
  if (!isJsonObject(value) || typeof value["public_key"] !== "string") return false;
  const { key_validity_url: url } = value;
  return url === undefined || typeof url === "string";
}

function jsonOf(body: Buffer): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    return isJsonObject(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function badAnswer(): IdentityServerError {
  return IdentityServerError.ofAnswer(200, undefined);
}
