import type { ServerName } from "../../protocol/identifiers.ts";
import { XMatrixError } from "../../protocol/errors.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import { isRequestSigned, parseXMatrix, type XMatrixCredentials } from "../../protocol/x-matrix.ts";
import type { ServerAuthentication, SignedServerRequest } from "../../auth/server-authentication.ts";
import { TokenBuckets } from "../../auth/token-buckets.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { Keyring } from "../keys/keyring.ts";
import type { ServerPolicy } from "../server-policy.ts";

export interface ServerAuthenticatorParts {
  readonly ownName: ServerName;
  readonly keyring: Pick<Keyring, "keysOf">;
  readonly policy: ServerPolicy;
  readonly clock: Clock;
  /** Told of each server that has sent a request of its own. */
  readonly heard: (serverName: ServerName) => void;
}

/** A server may sign with several keys, in as many headers; the rest is not looked at. */
const maxAuthorizations = 4;
/** A server stands for all its users; one that was away has much to tell. */
const requestsOfServer = { burst: 1_000, perSecond: 200 };
/** A server that asks for much at once leaves room for others. */
const maxUnderWay = 100;
const busyRetryMs = 1_000;

/** Finds out which server sends a request (server-server API, "Request Authentication"). */
export class ServerAuthenticator implements ServerAuthentication {
  readonly #parts: ServerAuthenticatorParts;
  readonly #buckets: TokenBuckets;
  /** Requests of each server that are being dealt with. */
  readonly #underWay = new Map<ServerName, number>();

  constructor(parts: ServerAuthenticatorParts) {
    this.#parts = parts;
    this.#buckets = new TokenBuckets(requestsOfServer, parts.clock);
  }

  admit(serverName: ServerName): Disposable {
    const underWay = this.#underWay.get(serverName) ?? 0;
    if (underWay >= maxUnderWay) throw tooMany(busyRetryMs);
    const waitMs = this.#buckets.take(serverName);
    if (waitMs > 0) throw tooMany(waitMs);
    this.#underWay.set(serverName, underWay + 1);
    return { [Symbol.dispose]: () => this.#left(serverName) };
  }

  #left(serverName: ServerName): void {
    const underWay = (this.#underWay.get(serverName) ?? 1) - 1;
    if (underWay === 0) this.#underWay.delete(serverName);
    else this.#underWay.set(serverName, underWay);
  }

  claimsOf(authorizations: readonly string[]): readonly XMatrixCredentials[] {
    if (authorizations.length === 0) {
      throw new MatrixError(
        "M_UNAUTHORIZED",
        "This endpoint is for servers: it needs an X-Matrix Authorization header",
      );
    }
    const claims = authorizations.slice(0, maxAuthorizations).map(read);
    for (const credentials of claims) this.#checkNames(credentials);
    return claims;
  }

  async originOf(claims: readonly XMatrixCredentials[], request: SignedServerRequest): Promise<ServerName> {
    for (const credentials of claims) {
      if (!(await this.#isSigned(request, credentials))) continue;
      this.#parts.heard(credentials.origin);
      return credentials.origin;
    }
    throw new MatrixError(
      "M_UNAUTHORIZED",
      "The request's signature is not right, or no key of the origin could be found to check it with",
    );
  }

  #checkNames({ origin, destination }: XMatrixCredentials): void {
    const { ownName, policy } = this.#parts;
    if (destination !== undefined && destination !== ownName) {
      throw new MatrixError("M_UNAUTHORIZED", `The request is for ${destination}, and this is ${ownName}`);
    }
    if (origin === ownName)
      throw new MatrixError("M_UNAUTHORIZED", "A server does not send requests to itself");
    if (!policy.allows(origin)) {
      throw new MatrixError("M_FORBIDDEN", `This server does not talk with ${origin}`);
    }
  }

  async #isSigned(request: SignedServerRequest, credentials: XMatrixCredentials): Promise<boolean> {
    const { ownName, keyring, clock } = this.#parts;
    const { origin, keyId } = credentials;
    const [key] = await keyring.keysOf(origin, [keyId], clock.nowMs());
    if (!key) return false;
    const { method, uri, content } = request;
    return isRequestSigned({ method, uri, origin, destination: ownName, content }, credentials, key);
  }
}

function tooMany(waitMs: number): MatrixError {
  return new MatrixError("M_LIMIT_EXCEEDED", "Too many requests: wait before the next one", {
    retry_after_ms: waitMs,
  });
}

function read(header: string): XMatrixCredentials {
  try {
    return parseXMatrix(header);
  } catch (error) {
    if (error instanceof XMatrixError) throw new MatrixError("M_UNAUTHORIZED", error.message);
    throw error;
  }
}
