import type { AppliedRedaction } from "./commits.ts";

/** A ban or kick that takes the content of what its target has sent away, and is not done with it. */
export interface RedactionSweep {
  /** The member event that asks for it. */
  readonly eventNid: number;
  readonly roomNid: number;
  /** Whose events. */
  readonly userNid: number;
}

/** Redactions of all that somebody has sent (MSC4293). The commit of the member event puts them here. */
export interface RedactionSweepStore {
  list(limit: number): Promise<RedactionSweep[]>;
  /** Redacts some of the events; those that have been redacted meanwhile stay as they are. */
  redact(sweep: RedactionSweep, redactions: readonly AppliedRedaction[]): Promise<void>;
  done(eventNid: number): Promise<void>;
}
