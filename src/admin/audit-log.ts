import { Rounds } from "../concurrency/rounds.ts";
import type { JsonObject } from "../protocol/json.ts";
import { MatrixError } from "../protocol/matrix-error.ts";
import type { AuditedAct, AuditLogStore, AuditOutcome, AuditQuery } from "../storage/audit-log.ts";
import type { Clock } from "../telemetry/clock.ts";
import type { Logger } from "../telemetry/log.ts";

/** Somebody who is about to do something, and what. */
export interface Act {
  /** A user ID, or what acts instead of a user, such as `command line`. */
  readonly actor: string;
  readonly address: string;
  /** The operation's ID. */
  readonly action: string;
  /** What it is done to; empty for what has no single one. */
  readonly target: string;
  /** What was asked for, without secrets. */
  readonly request: JsonObject;
}

/** What is to be told of something that is changed: its state that matters to administrators. */
export type Look = () => Promise<JsonObject | null>;

/** For what is made: there is nothing to look at before, and the request tells what it is. */
export const nothingBefore: Look = async () => null;

const roundEveryMs = 24 * 60 * 60 * 1000;
/** A start has better things to do. */
const firstRoundAfterMs = 10 * 60 * 1000;
const removedAtOnce = 1_000;
/** What is written of one act: more than any request of an administrator has to say. */
const maxDetailsLength = 16_384;

/**
 * What administrators did: who, when, from where, what, before and after. The beginning is on disk before anything is
 * done, so that nothing is done which is not in the log.
 */
export class AuditLog implements AsyncDisposable {
  readonly #store: AuditLogStore;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #keptMs: number;
  readonly #rounds: Rounds;

  constructor(store: AuditLogStore, keptMs: number, clock: Clock, log: Logger) {
    this.#store = store;
    this.#keptMs = keptMs;
    this.#clock = clock;
    this.#log = log;
    this.#rounds = new Rounds(() => this.#removeOld(), clock);
  }

  /** To be called at the start: what is old enough goes, every day. */
  begin(): void {
    this.#rounds.beginIn(firstRoundAfterMs);
  }

  /**
   * Does something and tells of it.
   * @param look is asked before and after
   * @returns what `act` returns
   * @throws what `act` throws, after that has been told too
   */
  async record<Result>(
    { actor, address, action, target, request }: Act,
    look: Look,
    act: () => Promise<Result>,
  ): Promise<Result> {
    const about = { actor, address, action, target };
    const add = (outcome: AuditOutcome, beginningId: number | null, details: JsonObject) =>
      this.#store.add({ ...about, ts: this.#clock.nowMs(), beginningId, outcome, details: textOf(details) });
    const beginningId = await add("begun", null, request);
    try {
      const before = await look();
      const result = await act();
      await add("done", beginningId, changes(before, await look()));
      return result;
    } catch (error) {
      await add("refused", beginningId, { error: reasonOf(error) });
      throw error;
    }
  }

  list(query: AuditQuery): Promise<readonly AuditedAct[]> {
    return this.#store.list(query);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#rounds[Symbol.asyncDispose]();
  }

  async #removeOld(): Promise<void> {
    try {
      const ts = this.#clock.nowMs() - this.#keptMs;
      while (!this.#rounds.isClosed && (await this.#store.removeBefore(ts, removedAtOnce)) === removedAtOnce);
    } catch (error) {
      this.#log.error({ err: error }, "old entries of the audit log could not be removed");
    }
    this.#rounds.beginIn(roundEveryMs);
  }
}

/** Only what differs, so that a reader sees it at once. */
function changes(before: JsonObject | null, after: JsonObject | null): JsonObject {
  if (before === null && after === null) return {};
  if (before === null || after === null) return { before, after };
  const differing = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]),
  );
  const part = (whole: JsonObject): JsonObject =>
    Object.fromEntries(differing.map((key) => [key, whole[key] ?? null]));
  return { before: part(before), after: part(after) };
}

function textOf(details: JsonObject): string {
  const text = JSON.stringify(details);
  if (text.length <= maxDetailsLength) return text;
  return JSON.stringify({ cutOff: text.slice(0, maxDetailsLength / 2), length: text.length });
}

function reasonOf(error: unknown): string {
  return error instanceof MatrixError
    ? `${error.errcode}: ${error.message}`
    : "an unforeseen failure: see the log";
}
