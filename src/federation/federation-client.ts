import type { IncomingHttpHeaders } from "node:http";
import type { ServerName } from "../protocol/identifiers.ts";
import type { JsonValue } from "../protocol/json.ts";

/** A request to another server. */
export interface FederationRequest {
  readonly destination: ServerName;
  readonly method: "GET" | "PUT" | "POST";
  /** Path and query as they stand in the request line, from `/_matrix` on: percent-encoded, and signed as they are. */
  readonly uri: string;
  /** `undefined` for a request without a body. It is sent as canonical JSON, which the signature covers. */
  readonly body?: JsonValue | undefined;
  /** The same as text, where it is canonical JSON already: many destinations get the same. */
  readonly canonicalBody?: string | undefined;
  /** Whether it carries an X-Matrix signature; true unless said otherwise. */
  readonly isSigned?: boolean;
  /** For all of it: finding the server, connecting, sending, reading the answer; 30 s unless said otherwise. */
  readonly timeoutMs?: number;
  /** A longer answer is an error; 1 MiB unless said otherwise. */
  readonly maxResponseBytes?: number;
  readonly signal?: AbortSignal;
}

/**
 * Why a request to another server has no good answer. `unreachable`: no connection, no answer in time, or nothing that
 * looks like one. `refused`: the server answered with an error of its own.
 */
export class FederationError extends Error {
  readonly failure: "unreachable" | "refused";
  /** Of the answer, for `refused`. */
  readonly status: number | undefined;
  readonly errcode: string | undefined;
  /** The whole answer, for `refused`, when it is JSON. */
  readonly body: JsonValue | undefined;

  constructor(
    failure: "unreachable" | "refused",
    message: string,
    details: {
      status?: number;
      errcode?: string | undefined;
      body?: JsonValue | undefined;
      cause?: unknown;
    } = {},
  ) {
    super(message, { cause: details.cause });
    this.name = "FederationError";
    this.failure = failure;
    this.status = details.status;
    this.errcode = details.errcode;
    this.body = details.body;
  }
}

/** An answer that is read while it arrives. */
export interface FederationAnswer {
  readonly headers: IncomingHttpHeaders;
  /** To be read once. Where it breaks off, reading fails with a FederationError. */
  readonly body: AsyncIterable<Buffer>;
}

/** Sends requests to other servers (server-server API, "Server discovery" and "Request Authentication"). */
export interface FederationClient {
  /**
   * The answer's JSON, parsed strictly: numbers that are no safe integers are kept as text (`protocol/exact-number.ts`).
   * @throws FederationError for every kind of failure; a 2xx answer that is not JSON is one too
   */
  request(request: FederationRequest): Promise<JsonValue>;
  /**
   * Hands the answer to `read` while it arrives: for what is no JSON, or too long to be held in memory. What `read` has
   * left of it when it is done is not waited for.
   * @throws FederationError when there is no good answer, and what `read` throws
   */
  stream<Result>(
    request: Omit<FederationRequest, "maxResponseBytes">,
    read: (answer: FederationAnswer) => Promise<Result>,
  ): Promise<Result>;
}
