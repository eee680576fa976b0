import { encodeCanonicalJson } from "../protocol/canonical-json.ts";
import type { SigningKey } from "../protocol/ed25519.ts";
import { CanonicalJsonError, StrictJsonError } from "../protocol/errors.ts";
import type { ServerName } from "../protocol/identifiers.ts";
import { isJsonObject, type JsonValue } from "../protocol/json.ts";
import { parseStrictJson } from "../protocol/strict-json.ts";
import { authorizeRequest } from "../protocol/x-matrix.ts";
import { OutboundError } from "../outbound/errors.ts";
import type { OutboundHttp, OutboundStream } from "../outbound/outbound-http.ts";
import {
  type FederationAnswer,
  type FederationClient,
  FederationError,
  type FederationRequest,
} from "./federation-client.ts";
import type { ResolvedServer, ServerAddress, ServerResolver } from "./resolution/server-resolver.ts";

export interface SignedFederationClientParts {
  readonly serverName: ServerName;
  readonly key: SigningKey;
  readonly resolver: Pick<ServerResolver, "resolve" | "doubt">;
  readonly http: Pick<OutboundHttp, "stream">;
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

  request(request: FederationRequest): Promise<JsonValue> {
    const { destination, maxResponseBytes = defaultMaxResponseBytes } = request;
    return this.stream(request, async ({ body }) => {
      const json = parsed(await bytesOf(body, maxResponseBytes, destination));
      if (json !== undefined) return json;
      throw new FederationError("unreachable", `${destination} gave an answer that is no JSON`);
    });
  }

  async stream<Result>(
    request: Omit<FederationRequest, "maxResponseBytes">,
    read: (answer: FederationAnswer) => Promise<Result>,
  ): Promise<Result> {
    const { destination, timeoutMs = defaultTimeoutMs } = request;
    const ended = AbortSignal.timeout(Math.ceil(timeoutMs));
    const signal = request.signal ? AbortSignal.any([ended, request.signal]) : ended;
    const server = await within(signal, destination, () => this.#parts.resolver.resolve(destination));
    if (!server || server.addresses.length === 0) {
      throw new FederationError("unreachable", `${destination} has no address that can be connected to`);
    }
    const body = request.canonicalBody ?? (request.body === undefined ? undefined : bodyText(request.body));
    return this.#send(request, server, body, signal, async ({ status, headers, body: answer }) => {
      const told = bodyOf(answer, destination);
      if (status >= 200 && status < 300) return read({ headers, body: told });
      throw refusal(destination, status, await bytesOf(told, defaultMaxResponseBytes, destination));
    });
  }

  /** Tries one address after the other, as long as there is no connection. */
  async #send<Result>(
    request: FederationRequest,
    server: ResolvedServer,
    body: string | undefined,
    signal: AbortSignal,
    read: (answer: OutboundStream) => Promise<Result>,
  ): Promise<Result> {
    const { destination } = request;
    let failure: unknown;
    for (const address of server.addresses.slice(0, maxAddresses)) {
      try {
        return await this.#exchange(request, server, address, body, signal, read);
      } catch (error) {
        if (!(error instanceof OutboundError)) throw error;
        failure = error;
        if (!error.isUnsent || signal.aborted) break;
      }
    }
    this.#parts.resolver.doubt(destination);
    throw unreachable(destination, failure);
  }

  #exchange<Result>(
    request: FederationRequest,
    { hostHeader, certifiedName }: ResolvedServer,
    { host, port }: ServerAddress,
    body: string | undefined,
    signal: AbortSignal,
    read: (answer: OutboundStream) => Promise<Result>,
  ): Promise<Result> {
    const { method, uri: target, timeoutMs = defaultTimeoutMs } = request;
    const outbound = {
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
      signal,
    };
    return this.#parts.http.stream(outbound, read);
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

/** The answer, whose faults are told as what they are: the server has begun to answer, and can be reached. */
async function* bodyOf(body: AsyncIterable<Buffer>, destination: ServerName): AsyncGenerator<Buffer> {
  try {
    yield* body;
  } catch (error) {
    throw unreachable(destination, error);
  }
}

/** @throws FederationError for an answer that is longer or breaks off */
async function bytesOf(
  body: AsyncIterable<Buffer>,
  maxBytes: number,
  destination: ServerName,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of body) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxBytes) {
      throw new FederationError("unreachable", `${destination} answers with more than ${maxBytes} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function refusal(destination: ServerName, status: number, body: Buffer): FederationError {
  const json = parsed(body);
  const errcode = isJsonObject(json) && typeof json["errcode"] === "string" ? json["errcode"] : undefined;
  return new FederationError("refused", `${destination} answered ${status} ${errcode ?? ""}`.trimEnd(), {
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
