/** A key of another server, as one of its signed documents tells it. */
export interface ServerKeyRow {
  readonly serverName: string;
  readonly keyId: string;
  /** Base64. */
  readonly publicKey: string;
  /** Until when signatures by the key count, in milliseconds since the epoch; for an old key, when it was given up. */
  readonly validUntilTs: number;
  readonly fetchedTs: number;
  /** The server's document with its signature, as JSON. */
  readonly document: string;
}

/** Keeps what other servers say of their keys. */
export interface ServerKeyStore {
  /** All keys of a server that are known, old ones too. */
  keysOf(serverName: string): Promise<ServerKeyRow[]>;
  /**
   * Remembers what a document says. A key whose validity is known to end later stays as it is, and a server keeps no more
   * keys than {@link maxKeysOfServer}: those that ended first go.
   */
  remember(rows: readonly ServerKeyRow[]): Promise<void>;
}

/** No honest server has had so many. */
export const maxKeysOfServer = 100;
