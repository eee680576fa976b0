import { encodeCanonicalJson } from "../protocol/canonical-json.ts";
import type { SigningKey } from "../protocol/ed25519.ts";
import { CanonicalJsonError, StrictJsonError } from "../protocol/errors.ts";
import type { ServerName } from "../protocol/identifiers.ts";
import { isJsonObject, type JsonValue } from "../protocol/json.ts";
import { parseStrictJson } from "../protocol/strict-json.ts";
import { authorizeRequest } from "../protocol/x-matrix.ts";
import { OutboundError } from "../outbound/errors.ts";
import type { OutboundHttp, OutboundResponse } from "../outbound/outbound-http.ts";
import { type FederationClient, FederationError, type FederationRequest } from "./federation-client.ts";
import type { ResolvedServer, ServerAddress, ServerResolver } from "./resolution/server-resolver.ts";

export interface SignedFederationClientParts {
  readonly serverName: ServerName;
  readonly key: SigningKey;
  readonly resolver: Pick<ServerResolver, "resolve" | "doubt">;
  readonly http: Pick<OutboundHttp, "request">;
}

const defaultTimeoutMs = 30_000;
const defaultMaxResponseBytes = 1_048_576;
/** A server with more addresses is not looked for at all of them. */
const maxAddresses = 4;

/** Sends requests to other servers over HTTPS, signed with this server's key. */
export class SignedFederationClient implements FederationClient {
  readonly #parts: SignedFederationClientParts;

  constructor(parts: SignedFederationClientParts) {
    this.#parts = parts;
  }

  async request(request: FederationRequest): Promise<JsonValue> {
    const { destination, timeoutMs = defaultTimeoutMs } = request;
    const ended = AbortSignal.timeout(timeoutMs);
    const signal = request.signal ? AbortSignal.any([ended, request.signal]) : ended;
    const server = await within(signal, destination, () => this.#parts.resolver.resolve(destination));
    if (!server || server.addresses.length === 0) {
      throw new FederationError("unreachable", `${destination} has no address that can be connected to`);
    }
    const body = request.canonicalBody ?? (request.body === undefined ? undefined : bodyText(request.body));
    const response = await this.#send(request, server, body, signal);
    return answerOf(response, destination);
  }

  /** Tries one address after the other, as long as there is no connection. */
  async #send(
    request: FederationRequest,
    server: ResolvedServer,
    body: string | undefined,
    signal: AbortSignal,
  ): Promise<OutboundResponse> {
    const { destination } = request;
    let failure: unknown;
    for (const address of server.addresses.slice(0, maxAddresses)) {
      try {
        return await this.#exchange(request, server, address, body, signal);
      } catch (error) {
        if (!(error instanceof OutboundError)) throw error;
        failure = error;
        if (!error.isUnsent || signal.aborted) break;
      }
    }
    this.#parts.resolver.doubt(destination);
    throw unreachable(destination, failure);
  }

  #exchange(
    request: FederationRequest,
    { hostHeader, certifiedName }: ResolvedServer,
    { host, port }: ServerAddress,
    body: string | undefined,
    signal: AbortSignal,
  ): Promise<OutboundResponse> {
    const {
      method,
      uri: target,
      timeoutMs = defaultTimeoutMs,
      maxResponseBytes = defaultMaxResponseBytes,
    } = request;
    return this.#parts.http.request({
      method,
      // Where it goes is the route's to say; this is what messages name.
      url: new URL(`https://${hostHeader}`),
      // Whatever servers ask each other does no harm when it is asked twice.
      isRepeatable: true,
      route: { host, port, certifiedName, target },
      headers: {
        Host: hostHeader,
        ...(request.isSigned !== false && { Authorization: this.#authorization(request, body) }),
        ...(body !== undefined && { "Content-Type": "application/json" }),
      },
      ...(body !== undefined && { body }),
      timeoutMs,
      maxResponseBytes,
      signal,
    });
  }

  #authorization({ method, uri, destination }: FederationRequest, content: string | undefined): string {
    const { serverName: origin, key } = this.#parts;
    return authorizeRequest({ method, uri, origin, destination, content }, key);
  }
}

/** @throws FederationError for a body that has no canonical JSON: no server would take it */
function bodyText(body: JsonValue): string {
  try {
    return encodeCanonicalJson(body, { strict: false });
  } catch (error) {
    if (!(error instanceof CanonicalJsonError)) throw error;
    throw new FederationError("unreachable", `the request cannot be written: ${error.message}`, {
      cause: error,
    });
  }
}

/** Ends the waiting for work that has no end of its own. */
async function within<Result>(
  signal: AbortSignal,
  destination: ServerName,
  work: () => Promise<Result>,
): Promise<Result> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(unreachable(destination, signal.reason));
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    if (signal.aborted) throw unreachable(destination, signal.reason);
    return await Promise.race([work(), aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

function unreachable(destination: ServerName, cause: unknown): FederationError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new FederationError("unreachable", `${destination} cannot be reached: ${reason}`, { cause });
}

function answerOf({ status, body }: OutboundResponse, destination: ServerName): JsonValue {
  const json = parsed(body);
  if (status >= 200 && status < 300) {
    if (json !== undefined) return json;
    throw new FederationError("unreachable", `${destination} answered ${status} without JSON`);
  }
  const errcode = isJsonObject(json) && typeof json["errcode"] === "string" ? json["errcode"] : undefined;
  throw new FederationError("refused", `${destination} answered ${status} ${errcode ?? ""}`.trimEnd(), {
    status,
    errcode,
    body: json,
  });
}

function parsed(body: Buffer): JsonValue | undefined {
  try {
    return parseStrictJson(body);
  } catch (error) {
    if (error instanceof StrictJsonError) return undefined;
    throw error;
  }
}
