import { type IncomingHttpHeaders, type IncomingMessage, request as httpRequest } from "node:http";
import type { AgentOptions, request as httpsRequest } from "node:https";
import { isIP } from "node:net";
import type { Clock } from "../telemetry/clock.ts";
import { Pace } from "../telemetry/pace.ts";
import { version } from "../version.ts";
import type { AddressFilter } from "./address-filter.ts";
import { OutboundError } from "./errors.ts";
import { FilteredHttpAgent, filteredLookup, type ResolveHost } from "./filtered-agents.ts";
import { HostResolver } from "./resolution/host-resolver.ts";
import type { FilteredHttpsAgent } from "./secure-agent.ts";

/** Where a request goes when that is not the host of its URL. */
export interface OutboundRoute {
  /** A host name, or an IP address without brackets. */
  readonly host: string;
  readonly port: number;
  /** The host name or IP address that the host's certificate has to be for. */
  readonly certifiedName: string;
  /** Path and query as they are to stand in the request line, which a URL may write in another way. */
  readonly target: string;
}

export interface OutboundRequest {
  readonly method: "GET" | "POST" | "PUT";
  readonly url: URL;
  readonly route?: OutboundRoute;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /**
   * The request does no more when it is sent twice: so it is, should the host close a connection that was kept open just
   * when it is sent. All but POST unless said otherwise.
   */
  readonly isRepeatable?: boolean;
  /** For all of it: with redirects, to the last byte of the answer. */
  readonly timeoutMs: number;
  /** A longer answer is an error. */
  readonly maxResponseBytes: number;
  /** How much of an answer is of use, as its headers tell: the rest is not read, and is no error. */
  readonly bytesOfUse?: (headers: IncomingHttpHeaders) => number;
  /** How many redirects of a GET are followed; none unless said otherwise. */
  readonly maxRedirects?: number;
  /** The headers hold nothing secret, and go to every host that the request is sent on to; else to the first one only. */
  readonly headersForAll?: boolean;
  /** Whether a URL may be asked for, redirects included; an error when not. */
  readonly permits?: (url: URL) => boolean;
  readonly signal?: AbortSignal;
}

export interface OutboundResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Whether the body is all there; false when what came after was of no use. */
  readonly isComplete: boolean;
  /** Where the answer comes from, after redirects. */
  readonly url: URL;
}

export type OutboundStreamRequest = Omit<OutboundRequest, "maxResponseBytes" | "bytesOfUse">;

/** An answer that is read while it arrives. */
export interface OutboundStream {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** To be read once. Where it breaks off, reading fails with an OutboundError. */
  readonly body: AsyncIterable<Buffer>;
  /** Where the answer comes from, after redirects. */
  readonly url: URL;
}

export interface OutboundHttpOptions {
  readonly filter: AddressFilter;
  readonly clock: Clock;
  /** Certificates (PEM) of authorities to trust beside the usual ones. */
  readonly extraCa?: string | undefined;
  /** How long finding the host's address, connecting and TLS may take together. */
  readonly connectTimeoutMs?: number;
  /** How long the host may take to answer from then on. */
  readonly headersTimeoutMs?: number;
  /** By the hosts file, name servers and the operating system unless said otherwise: see `HostResolver`. */
  readonly resolve?: ResolveHost;
}

/** Connections to one host, and to all of them; who comes later waits. */
const maxConnectionsPerHost = 64;
const maxConnections = 1_024;
const maxIdleConnections = 256;
const idleConnectionMs = 30_000;
const defaultConnectTimeoutMs = 10_000;
const defaultHeadersTimeoutMs = 30_000;
/** All connections to a host may have been closed at once. */
const maxStaleConnections = 3;
const redirectStatuses: readonly number[] = [301, 302, 303, 307, 308];

/** How requests by HTTPS are sent. */
interface SecureSide {
  readonly request: typeof httpsRequest;
  readonly agent: FilteredHttpsAgent;
}

/**
 * Sends requests to other hosts, whose addresses have to pass a filter: whoever can make the server send requests must
 * not reach what is meant for its own network. Everything has a bound: time, redirects, the answer's size, connections.
 */
export class OutboundHttp implements Disposable {
  readonly #clock: Clock;
  readonly #pace: Pace;
  readonly #http: FilteredHttpAgent;
  readonly #makeSecureSide: () => Promise<SecureSide>;
  #https: Promise<SecureSide> | undefined;
  readonly #connectTimeoutMs: number;
  readonly #headersTimeoutMs: number;

  constructor({ filter, clock, extraCa, resolve, ...timeouts }: OutboundHttpOptions) {
    this.#clock = clock;
    this.#pace = new Pace(clock);
    const options: AgentOptions = {
      keepAlive: true,
      timeout: idleConnectionMs,
      maxSockets: maxConnectionsPerHost,
      maxTotalSockets: maxConnections,
      maxFreeSockets: maxIdleConnections,
      lookup: filteredLookup(filter, resolve ?? new HostResolver({ clock }).resolve),
    };
    this.#http = new FilteredHttpAgent(filter, options);
    // TLS and the certificates of all authorities take 3 MiB, which a server that asks nobody does without.
    this.#makeSecureSide = async () => {
      const { FilteredHttpsAgent, httpsRequest } = await import("./secure-agent.ts");
      return { request: httpsRequest, agent: new FilteredHttpsAgent(filter, options, extraCa) };
    };
    this.#connectTimeoutMs = timeouts.connectTimeoutMs ?? defaultConnectTimeoutMs;
    this.#headersTimeoutMs = timeouts.headersTimeoutMs ?? defaultHeadersTimeoutMs;
  }

  /**
   * Sends a request and reads the whole answer, whatever its status.
   * @throws OutboundError when there is no answer
   */
  request(request: OutboundRequest): Promise<OutboundResponse> {
    const { maxResponseBytes, bytesOfUse } = request;
    return this.stream(request, async ({ status, headers, body, url }) => {
      const read = await readBody(body, maxResponseBytes, bytesOfUse?.(headers) ?? Infinity);
      return { status, headers, ...read, url };
    });
  }

  /**
   * Sends a request and hands the answer to `read` while it arrives, whatever its status. What `read` has left of it when
   * it is done is not waited for.
   * @throws OutboundError when there is no answer, and what `read` throws
   */
  async stream<Result>(
    request: OutboundStreamRequest,
    read: (answer: OutboundStream) => Promise<Result>,
  ): Promise<Result> {
    const { timeoutMs, maxRedirects = 0, signal } = request;
    const deadline = new AbortController();
    using _timer = this.#clock.setTimer(timeoutMs, () =>
      deadline.abort(new OutboundError("timeout", `no complete answer within ${timeoutMs} ms`)),
    );
    const ended = signal ? AbortSignal.any([deadline.signal, signal]) : deadline.signal;
    let url = request.url;
    for (let redirects = 0; ; redirects++) {
      const keepsHeaders = request.headersForAll === true || url.origin === request.url.origin;
      const hop = keepsHeaders ? { ...request, url } : { ...request, url, headers: {} };
      const incoming = await this.#open(hop, ended);
      const { headers, statusCode: status = 0 } = incoming;
      try {
        const follows = maxRedirects > 0 && request.method === "GET";
        const next = follows ? redirectTarget(status, headers, url) : undefined;
        if (!next) return await read({ status, headers, body: bodyOf(incoming, url, ended), url });
        if (redirects >= maxRedirects) {
          throw new OutboundError("too-many-redirects", `more than ${maxRedirects} redirects`);
        }
        url = next;
      } finally {
        // A connection on which the whole answer has arrived serves the next request, be it read to its end or not.
        if (incoming.complete) incoming.resume();
        else incoming.destroy();
      }
    }
  }

  /** Ends idle connections; those in use end with their requests. */
  [Symbol.dispose](): void {
    this.#http.destroy();
    void this.#https?.then(({ agent }) => agent.destroy());
  }

  async #open(request: OutboundStreamRequest, signal: AbortSignal): Promise<IncomingMessage> {
    const { url, permits } = request;
    checkUrl(url);
    if (permits?.(url) === false) throw new OutboundError("refused-url", `${url.host} may not be asked`);
    try {
      signal.throwIfAborted();
      return await this.#sendOverLiveConnection(request, signal);
    } catch (error) {
      throw outboundError(error, url, signal);
    }
  }

  async #sendOverLiveConnection(
    request: OutboundStreamRequest,
    signal: AbortSignal,
  ): Promise<IncomingMessage> {
    const { isRepeatable = request.method !== "POST" } = request;
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#send(request, signal);
      } catch (error) {
        if (!(error instanceof StaleConnection)) throw error;
        if (!isRepeatable || attempt === maxStaleConnections) throw error.cause;
      }
    }
  }

  /**
   * Resolves with the beginning of the answer.
   * @throws StaleConnection when the host has closed a connection that was kept open
   */
  async #send(
    { method, url, route, headers, body }: OutboundStreamRequest,
    signal: AbortSignal,
  ): Promise<IncomingMessage> {
    const isSecure = url.protocol === "https:";
    const { request, agent } = isSecure
      ? await (this.#https ??= this.#makeSecureSide())
      : { request: httpRequest, agent: this.#http };
    // A connection takes a millisecond to begin, and hundreds of servers may be asked at once.
    await this.#pace.breathe();
    const outgoing = request(url, {
      method,
      headers: {
        "User-Agent": `Hearth/${version}`,
        ...(body !== undefined && { "Content-Length": Buffer.byteLength(body) }),
        ...headers,
      },
      agent,
      signal,
      ...(route && connectionTo(route)),
    });
    let isConnected = false;
    const within = (timeoutMs: number, what: string) =>
      this.#clock.setTimer(timeoutMs, () =>
        outgoing.destroy(new OutboundError("timeout", `no ${what} within ${timeoutMs} ms`)),
      );
    let timer = within(this.#connectTimeoutMs, `connection to ${url.host}`);
    const connected = () => {
      isConnected = true;
      timer.cancel();
      timer = within(this.#headersTimeoutMs, `answer from ${url.host}`);
    };
    outgoing.once("socket", (socket) => {
      if (outgoing.reusedSocket) connected();
      else socket.once(isSecure ? "secureConnect" : "connect", connected);
    });
    return await new Promise<IncomingMessage>((resolve, reject) => {
      outgoing.once("response", resolve);
      outgoing.on("error", (error) => {
        if (outgoing.reusedSocket && isReset(error)) reject(new StaleConnection(error));
        else reject(isConnected ? error : unsent(error, url));
      });
      outgoing.end(body);
    }).finally(() => timer.cancel());
  }
}

/** A connection that was kept open is closed by the host just when it is used again. */
class StaleConnection extends Error {
  constructor(cause: Error) {
    super("the connection had been closed", { cause });
  }
}

function isReset(error: Error): boolean {
  return "code" in error && (error.code === "ECONNRESET" || error.code === "EPIPE");
}

/** No server name is sent to an IP address, whose certificate is for that address. */
function connectionTo({ host, port, certifiedName, target }: OutboundRoute) {
  return { hostname: host, host, port, servername: isIP(certifiedName) ? "" : certifiedName, path: target };
}

/** Credentials in a URL would be sent, and logged, without anybody's meaning it. */
function checkUrl({ protocol, username, password, host }: URL): void {
  if (protocol !== "https:" && protocol !== "http:") {
    throw new OutboundError("bad-url", `requests are sent by https and http, not by ${protocol}`);
  }
  if (username !== "" || password !== "") {
    throw new OutboundError("bad-url", `the URL on ${host} has a user name or a password`);
  }
}

/** The body, whose faults are told in our own words. */
async function* bodyOf(incoming: IncomingMessage, url: URL, signal: AbortSignal): AsyncGenerator<Buffer> {
  try {
    const chunks: AsyncIterable<Buffer> = incoming.iterator({ destroyOnReturn: false });
    for await (const chunk of chunks) yield chunk;
  } catch (error) {
    throw outboundError(error, url, signal);
  }
}

/** @throws OutboundError for one that is longer than `maxBytes` */
async function readBody(
  body: AsyncIterable<Buffer>,
  maxBytes: number,
  bytesOfUse: number,
): Promise<Pick<OutboundResponse, "body" | "isComplete">> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of body) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxBytes)
      throw new OutboundError("too-large", `the answer has more than ${maxBytes} bytes`);
    chunks.push(chunk);
    if (sizeBytes > bytesOfUse) break;
  }
  const bytes = Buffer.concat(chunks, Math.min(sizeBytes, bytesOfUse));
  return { body: bytes, isComplete: sizeBytes <= bytesOfUse };
}

function redirectTarget(status: number, headers: IncomingHttpHeaders, url: URL): URL | undefined {
  if (!redirectStatuses.includes(status) || headers.location === undefined) return undefined;
  const target = URL.parse(headers.location, url);
  if (!target) throw new OutboundError("bad-url", `${url.host} redirects to what is no URL`);
  return target;
}

function unsent(error: Error, { host }: URL): OutboundError {
  const failure = error instanceof OutboundError ? error.failure : "unreachable";
  const message =
    error instanceof OutboundError ? error.message : `no connection to ${host}: ${error.message}`;
  return new OutboundError(failure, message, { cause: error, isUnsent: true });
}

function outboundError(error: unknown, { host }: URL, signal: AbortSignal): OutboundError {
  if (signal.reason instanceof OutboundError) return signal.reason;
  if (signal.aborted) return new OutboundError("aborted", `the request to ${host} was broken off`);
  if (error instanceof OutboundError) return error;
  const reason = error instanceof Error ? error.message || error.name : String(error);
  return new OutboundError("unreachable", `no answer from ${host}: ${reason}`, { cause: error });
}
