/** A browser in which somebody is signed in. */
export interface BrowserSession {
  readonly userNid: number;
  /** When they proved who they are. */
  readonly createdTs: number;
  readonly expiresTs: number;
}

/** Browser sessions by the SHA-256 hashes of their cookies. */
export interface BrowserSessionStore {
  add(tokenHash: Uint8Array, session: BrowserSession, nowTs: number): Promise<void>;
  find(tokenHash: Uint8Array, nowTs: number): Promise<BrowserSession | undefined>;
  remove(tokenHash: Uint8Array): Promise<void>;
}
