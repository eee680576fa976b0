import type { ServerName } from "../protocol/identifiers.ts";
import type { XMatrixCredentials } from "../protocol/x-matrix.ts";

/** What of a request of another server its signature covers. */
export interface SignedServerRequest {
  readonly method: string;
  /** Path and query as they stand in the request line. */
  readonly uri: string;
  /** The canonical JSON of the body; `undefined` for a request without one. */
  readonly content: string | undefined;
}

/** Tells other homeservers apart that send requests, and how many they may send. */
export interface ServerAuthentication {
  /**
   * What a request's headers claim, before anything else of it is looked at.
   * @param authorizations each `Authorization` header
   * @throws MatrixError M_UNAUTHORIZED, M_FORBIDDEN for a server that this one does not talk with
   */
  claimsOf(authorizations: readonly string[]): readonly XMatrixCredentials[];
  /** Finds out which server sends a request, of those that its headers claim. @throws MatrixError M_UNAUTHORIZED */
  originOf(claims: readonly XMatrixCredentials[], request: SignedServerRequest): Promise<ServerName>;
  /**
   * Counts a request of a server.
   * @returns what is to be disposed of once the request has been dealt with
   * @throws MatrixError M_LIMIT_EXCEEDED
   */
  admit(serverName: ServerName): Disposable;
}
