import type { IncomingMessage, ServerResponse } from "node:http";
import type { BodyOf, EndpointDeclaration, ParamsOf, QueryOf } from "../api/endpoint.ts";
import type { Requester } from "../auth/requester.ts";
import type { ServerName } from "../protocol/identifiers.ts";

/** A request that has passed routing, rate limits, authentication and validation. */
export interface Request<E extends EndpointDeclaration> {
  readonly params: ParamsOf<E>;
  readonly query: QueryOf<E>;
  readonly body: BodyOf<E>;
  /** Who calls: never set for `public` endpoints, perhaps for `optional-user` and `optional-appservice`, always for others. */
  readonly requester: RequesterOf<E>;
  readonly context: RequestContext;
}

const clientGone = "the client has gone";

/** What a handler may know of the request beside its parameters. */
export class RequestContext {
  /** Names the request in the log and in the answer to an unforeseen failure. */
  readonly id: string;
  /** The client's address, after trusted proxies. */
  readonly address: string;
  readonly userAgent: string;
  readonly method: string;
  readonly path: string;
  /** For bodies that are not JSON. */
  readonly incoming: IncomingMessage;
  /** For answers that somebody else writes. */
  readonly response: ServerResponse;
  #signal: AbortSignal | undefined;

  constructor(
    id: string,
    incoming: IncomingMessage,
    response: ServerResponse,
    path: string,
    address: string,
  ) {
    this.id = id;
    this.incoming = incoming;
    this.response = response;
    this.method = incoming.method ?? "";
    this.path = path;
    this.address = address;
    this.userAgent = (incoming.headers["user-agent"] ?? "").slice(0, 512);
  }

  /** Calls back when the answer has been sent, or the client has gone. */
  whenEnded(callback: () => void): void {
    if (this.response.closed) callback();
    else this.response.once("close", callback);
  }

  /** Whether an access token came along, be it a good one or not. */
  get hasToken(): boolean {
    return this.incoming.headers.authorization !== undefined;
  }

  /** The query, with its question mark; empty without one. */
  get search(): string {
    const { url = "" } = this.incoming;
    const start = url.indexOf("?");
    return start === -1 ? "" : url.slice(start);
  }

  /** Aborted when the client goes away: what waits for long listens to it. Made for those who ask only. */
  get signal(): AbortSignal {
    if (this.#signal) return this.#signal;
    const controller = new AbortController();
    const response = this.response;
    // With a reason of our own: the default one is an error with a stack trace, made for each request.
    if (response.closed) controller.abort(clientGone);
    else response.once("close", () => response.writableFinished || controller.abort(clientGone));
    this.#signal = controller.signal;
    return this.#signal;
  }
}

/** Another homeserver whose request is signed. */
export interface RequestingServer {
  readonly serverName: ServerName;
}

type RequesterOf<E extends EndpointDeclaration> = E["access"] extends "public"
  ? undefined
  : E["access"] extends "server"
    ? RequestingServer
    : E["access"] extends "optional-user" | "optional-appservice"
      ? Requester | undefined
      : Requester;
