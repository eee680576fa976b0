import type { BrowserSession, BrowserSessionStore } from "../../browser-sessions.ts";
import type { Connection } from "../engine/connection.ts";
import { point, type StoreOperations, write } from "../engine/operations.ts";

/** Part of the transactions after which a user has to prove anew who they are. */
export function endBrowserSessions(db: Connection, userNid: number): void {
  db.run("DELETE FROM browser_sessions WHERE user_nid = ?", userNid);
}

export const browserSessionOperations: StoreOperations<BrowserSessionStore> = {
  add: write(({ db }, tokenHash: Uint8Array, session: BrowserSession, nowTs: number) => {
    db.run("DELETE FROM browser_sessions WHERE expires_ts <= ?", nowTs);
    db.run(
      "INSERT INTO browser_sessions (token_hash, user_nid, created_ts, expires_ts) VALUES (?, ?, ?, ?)",
      tokenHash,
      session.userNid,
      session.createdTs,
      session.expiresTs,
    );
  }),
  find: point((db, tokenHash: Uint8Array, nowTs: number) =>
    db.get<BrowserSession>(
      `SELECT user_nid AS userNid, created_ts AS createdTs, expires_ts AS expiresTs FROM browser_sessions
      WHERE token_hash = ? AND expires_ts > ?`,
      tokenHash,
      nowTs,
    ),
  ),
  remove: write(({ db }, tokenHash: Uint8Array) => {
    db.run("DELETE FROM browser_sessions WHERE token_hash = ?", tokenHash);
  }),
};
