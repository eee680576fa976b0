/** What an administrator is about to do, or how it ended. Texts are what they were at the time: nothing refers to other tables. */
export interface NewAuditEntry {
  readonly ts: number;
  /** The user ID of who acts, or what acts instead of a user, such as `command line`. */
  readonly actor: string;
  /** Where the request came from; empty for what came from the machine itself. */
  readonly address: string;
  /** The operation's ID. */
  readonly action: string;
  /** The user, room, file or token that it is done to; empty for what has no single one. */
  readonly target: string;
  /** The entry that this one ends; `null` for the beginning of an act. */
  readonly beginningId: number | null;
  /** `begun` for a beginning. */
  readonly outcome: AuditOutcome;
  /** JSON: what was asked for, for a beginning; for an end what changed, or why it was refused. */
  readonly details: string;
}

export type AuditOutcome = "begun" | "done" | "refused";

export interface AuditEntry extends NewAuditEntry {
  readonly auditId: number;
  /** SHA-256 over the entry before this one and all of this one, so that a change of what was written shows. */
  readonly hash: Buffer;
}

/** An act with its end, if it has ended. */
export interface AuditedAct {
  readonly begun: AuditEntry;
  readonly ended: AuditEntry | undefined;
}

export interface AuditQuery {
  /** Acts that began before this entry: where a list goes on. */
  readonly before: number;
  readonly limit: number;
  readonly actor?: string | undefined;
  readonly action?: string | undefined;
  readonly target?: string | undefined;
  /** Bounds of the time, both included. */
  readonly fromTs: number;
  readonly toTs: number;
}

/** A log that can only be added to: the database itself refuses changes, and lets nothing go that is younger than 90 days. */
export interface AuditLogStore {
  /** @returns its ID */
  add(entry: NewAuditEntry): Promise<number>;
  /** Acts, the newest first. */
  list(query: AuditQuery): Promise<readonly AuditedAct[]>;
  /** Entries in their order, for checking their hashes. */
  entries(after: number, limit: number): Promise<readonly AuditEntry[]>;
  /** Takes some entries away that are older than a time. @returns how many went */
  removeBefore(ts: number, limit: number): Promise<number>;
}

/** What the database refuses to let go. */
export const keptForSureMs = 90 * 24 * 60 * 60 * 1000;

/** What an entry's hash is made of, after the hash of the entry before it. */
export function auditHashText(entry: NewAuditEntry & { readonly auditId: number }): string {
  const { auditId, ts, actor, address, action, target, beginningId, outcome, details } = entry;
  return JSON.stringify([auditId, ts, actor, address, action, target, beginningId, outcome, details]);
}
