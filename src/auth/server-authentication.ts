import type { ServerName } from "../protocol/identifiers.ts";

/** What of a request of another server its signature covers. */
export interface SignedServerRequest {
  readonly method: string;
  /** Path and query as they stand in the request line. */
  readonly uri: string;
  /** The canonical JSON of the body; `undefined` for a request without one. */
  readonly content: string | undefined;
  /** Each `Authorization` header. */
  readonly authorizations: readonly string[];
}

/** Tells other homeservers apart that send requests, and how many they may send. */
export interface ServerAuthentication {
  /** Finds out which server sends a request. @throws MatrixError M_UNAUTHORIZED, M_FORBIDDEN */
  originOf(request: SignedServerRequest): Promise<ServerName>;
  /**
   * Counts a request of a server.
   * @returns what is to be disposed of once the request has been dealt with
   * @throws MatrixError M_LIMIT_EXCEEDED
   */
  admit(serverName: ServerName): Disposable;
}
