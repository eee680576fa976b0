import type { AppserviceProgress, AppserviceStore, AppserviceTransaction } from "../storage/appservices.ts";
import type { Clock, Timer } from "../telemetry/clock.ts";
import type { Logger } from "../telemetry/log.ts";
import {
  type AppserviceClient,
  AppserviceError,
  isForeignFault,
  isSuccess,
  reasonOf,
} from "./appservice-client.ts";
import type { ChangeWindow, ChangeWindows } from "./change-window.ts";
import type { TransactionWriter, WrittenTransaction } from "./transaction-writer.ts";

export interface TransactionSenderParts {
  readonly client: Pick<AppserviceClient, "appservice" | "request" | "onAnswer">;
  readonly store: Pick<AppserviceStore, "step" | "failed">;
  readonly windows: Pick<ChangeWindows, "after">;
  readonly writer: Pick<TransactionWriter, "write">;
  /** The newest position. */
  readonly position: () => number;
  readonly clock: Clock;
  readonly log: Logger;
}

const transactionTimeoutMs = 60_000;
/** Servers that application services are made with take a mebibyte, if they are not told otherwise. */
const maxBodyBytes = 768 * 1024;
const firstRetryMs = 1_000;
const lastRetryMs = 5 * 60 * 1000;
/** What was looked at and is of no interest is looked at again after a crash: so much of it at most. */
const saveIntervalMs = 30_000;
/** How long a request under way may take when the server stops. */
const closeTimeoutMs = 3_000;

/**
 * Tells one application service what is new, in order, one transaction after the other (application service API, "Pushing
 * events"). A transaction is stored before it is sent, and sent again as it is until it is acknowledged, also after a crash.
 * Nothing is written when events are sent: how far it has been told is a position of the one stream.
 */
export class TransactionSender implements AsyncDisposable {
  readonly #parts: TransactionSenderParts;
  readonly #abort = new AbortController();
  #upTo: number;
  #savedUpTo: number;
  #lastTransaction: number;
  #waiting: AppserviceTransaction | null;
  /** The newest transaction, when it has been acknowledged and that is not stored yet. */
  #acknowledged: number | null = null;
  #failures = 0;
  #lastError: string | null;
  #work: Promise<void> | undefined;
  #retry: Timer | undefined;
  #save: Timer | undefined;
  #closed = false;

  constructor(parts: TransactionSenderParts, progress: AppserviceProgress) {
    this.#parts = parts;
    this.#upTo = progress.upTo;
    this.#savedUpTo = progress.upTo;
    this.#lastTransaction = progress.lastTransaction;
    this.#waiting = progress.waiting;
    this.#lastError = progress.lastError;
    parts.client.onAnswer(() => this.#answers());
  }

  /** There may be something new. */
  readonly wake = (): void => {
    if (this.#closed || this.#work || this.#retry) return;
    this.#work = this.#tell().finally(() => {
      this.#work = undefined;
      // What has come while the work was ending.
      if (this.#upTo < this.#parts.position()) this.wake();
    });
  };

  /** Stops; what has not been told by then is told after the next start. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#retry?.cancel();
    this.#save?.cancel();
    const patience = this.#parts.clock.setTimer(closeTimeoutMs, () => this.#abort.abort());
    await this.#work;
    patience.cancel();
    await this.#saveProgress();
  }

  /** It has answered something else, or has asked for a ping and got it: there is no use in waiting. */
  #answers(): void {
    if (!this.#retry) return;
    this.#retry.cancel();
    this.#retry = undefined;
    this.wake();
  }

  async #tell(): Promise<void> {
    // After the commit's other followers have been told, and its position is visible.
    await Promise.resolve();
    try {
      while (!this.#closed) {
        const waiting = this.#waiting ?? (await this.#next());
        if (!waiting) return;
        await this.#deliver(waiting);
      }
    } catch (error) {
      this.#failed(error);
    }
  }

  /** The next transaction, stored; `undefined` when there is nothing to tell. */
  async #next(): Promise<AppserviceTransaction | undefined> {
    const { store, position, clock, client } = this.#parts;
    while (this.#upTo < position() && !this.#closed) {
      const { window, written } = await this.#fitting();
      if (!written) {
        this.#upTo = window.upTo;
        continue;
      }
      // Application services remember IDs: they must not come back with another database either.
      const transactionId = Math.max(this.#lastTransaction + 1, clock.nowMs());
      const next = { transactionId, ...written };
      const acknowledged = this.#acknowledged;
      await store.step(client.appservice.id, { upTo: window.upTo, acknowledged, next });
      this.#stored(window.upTo, acknowledged);
      this.#lastTransaction = transactionId;
      this.#waiting = next;
      return next;
    }
    if (this.#acknowledged !== null) await this.#saveProgress();
    else if (this.#upTo > this.#savedUpTo) this.#saveLater();
    return undefined;
  }

  /** What comes next: halves of it, as long as it is too large. */
  async #fitting(): Promise<{ window: ChangeWindow; written: WrittenTransaction | undefined }> {
    const { windows, writer } = this.#parts;
    let limit: number | undefined;
    for (;;) {
      const window = await windows.after(this.#upTo, limit);
      const written = await writer.write(window);
      const positions = [...window.events.map((event) => event.position), ...window.messages];
      const isSmall = !written || Buffer.byteLength(written.body) <= maxBodyBytes;
      if (isSmall || positions.length <= 1) return { window, written };
      limit = positions.toSorted((a, b) => a - b)[(positions.length >> 1) - 1];
    }
  }

  async #deliver({ transactionId, body }: AppserviceTransaction): Promise<void> {
    const { client, log } = this.#parts;
    const path = `/transactions/${transactionId}`;
    const answer = await client.request(
      {
        method: "PUT",
        path: `/_matrix/app/v1${path}`,
        legacyPath: path,
        body,
        timeoutMs: transactionTimeoutMs,
      },
      this.#abort.signal,
    );
    if (!isSuccess(answer)) throw new AppserviceError(`it answered ${answer.status} to a transaction`);
    if (this.#failures > 0)
      log.info({ appservice: client.appservice.id }, "the application service answers again");
    this.#failures = 0;
    this.#lastError = null;
    this.#waiting = null;
    this.#acknowledged = transactionId;
  }

  #failed(error: unknown): void {
    const { clock, client, log } = this.#parts;
    if (this.#closed) return;
    const delayMs = Math.min(firstRetryMs * 2 ** this.#failures, lastRetryMs);
    const reason = reasonOf(error);
    const appservice = client.appservice.id;
    if (!isForeignFault(error)) log.error({ appservice, err: error }, "a transaction could not be made");
    else if (this.#failures === 0) {
      log.warn({ appservice, reason }, "the application service could not be told; it is tried again later");
    }
    this.#failures += 1;
    this.#retry = clock.setTimer(delayMs, () => {
      this.#retry = undefined;
      this.wake();
    });
    if (reason !== this.#lastError) void this.#note(reason);
  }

  /** For administrators. */
  async #note(reason: string): Promise<void> {
    const { store, clock, client, log } = this.#parts;
    this.#lastError = reason;
    try {
      await store.failed(client.appservice.id, reason, clock.nowMs());
    } catch (error) {
      log.warn(
        { err: error, appservice: client.appservice.id },
        "the application service's fault was not stored",
      );
    }
  }

  #saveLater(): void {
    this.#save ??= this.#parts.clock.setTimer(saveIntervalMs, () => {
      this.#save = undefined;
      // Work that is under way comes here again at its end.
      if (!this.#work) void this.#saveProgress();
    });
  }

  async #saveProgress(): Promise<void> {
    const { store, client, log } = this.#parts;
    const upTo = this.#upTo;
    const acknowledged = this.#acknowledged;
    // While a transaction waits its end is what is stored.
    if (this.#waiting || (acknowledged === null && upTo === this.#savedUpTo)) return;
    try {
      await store.step(client.appservice.id, { upTo, acknowledged, next: null });
      this.#stored(upTo, acknowledged);
    } catch (error) {
      log.warn(
        { err: error, appservice: client.appservice.id },
        "how far the application service is was not stored",
      );
    }
  }

  #stored(upTo: number, acknowledged: number | null): void {
    this.#upTo = Math.max(this.#upTo, upTo);
    this.#savedUpTo = Math.max(this.#savedUpTo, upTo);
    if (this.#acknowledged === acknowledged) this.#acknowledged = null;
  }
}
