import type { ServerName, UserId } from "../../protocol/identifiers.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import type { RemoteDeviceListStore } from "../../storage/remote-device-lists.ts";
import type { Clock, Timer } from "../../telemetry/clock.ts";
import type { Logger } from "../../telemetry/log.ts";
import { FederationError } from "../federation-client.ts";
import { Backoff } from "../sending/backoff.ts";
import { Turns } from "../../concurrency/turns.ts";
import type { ServerPolicy } from "../server-policy.ts";
import type { RemoteDeviceLists } from "./remote-device-lists.ts";

export interface DeviceListResyncsParts {
  readonly lists: RemoteDeviceLists;
  readonly store: Pick<RemoteDeviceListStore, "staleUsers" | "serversWithStale" | "follow" | "forget">;
  readonly names: Pick<NameCache, "userId">;
  readonly policy: ServerPolicy;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
}

/** Servers that are asked at the same time; each is asked for one list after the other. */
const serversAtOnce = 20;
const usersAtOnce = 50;
const timeoutMs = 30_000;
const minRetryMs = 1_000;
const pauseMs = 250;
/** One write takes so many; the others are asked for again by those who want them. */
const maxFollowed = 1_000;

interface Resyncing {
  readonly backoff: Backoff;
  work: Promise<void> | undefined;
  retry: Timer | undefined;
  /** Whether lists have become stale since those that are were last read. */
  hasMore: boolean;
}

/**
 * Asks servers again for the device lists of which updates have been missed. Which lists these are is stored, so that
 * none is forgotten by a restart; a server that cannot be reached is tried later and later, and as soon as it is heard of.
 */
export class DeviceListResyncs implements AsyncDisposable {
  readonly #parts: DeviceListResyncsParts;
  /** Only servers of which something is wanted. */
  readonly #servers = new Map<ServerName, Resyncing>();
  readonly #turns: Turns;
  readonly #closed = new AbortController();

  constructor(parts: DeviceListResyncsParts) {
    this.#parts = parts;
    this.#turns = new Turns({ maxAtWork: serversAtOnce }, parts.clock);
  }

  /** Goes on with what was stale at the last stop. */
  async resume(): Promise<void> {
    for (const server of await this.#parts.store.serversWithStale()) this.wanted(server as ServerName);
  }

  /** Gets lists that could not be got yet, or not so many of them at once. */
  async follow(server: ServerName, userNids: readonly number[]): Promise<void> {
    if (userNids.length === 0) return;
    await this.#parts.store.follow(userNids.slice(0, maxFollowed), server);
    this.wanted(server);
  }

  /** To be called when a list of one of the server's users has become stale. */
  wanted(server: ServerName): void {
    if (this.#closed.signal.aborted || !this.#parts.policy.allows(server)) return;
    const known = this.#servers.get(server);
    if (known) known.hasMore = true;
    const { clock, random } = this.#parts;
    const resyncing = known ?? {
      backoff: new Backoff(clock, random),
      work: undefined,
      retry: undefined,
      hasMore: true,
    };
    this.#servers.set(server, resyncing);
    this.#start(server, resyncing);
  }

  /** To be called when a server has been heard of: it can be reached, then. */
  heard(server: ServerName): void {
    const resyncing = this.#servers.get(server);
    if (!resyncing) return;
    const { backoff } = resyncing;
    // A server that sends much and answers nothing is not asked as often as it sends.
    if (backoff.retryIntervalMs - backoff.waitMs < minRetryMs || !backoff.ended()) return;
    resyncing.retry?.cancel();
    resyncing.retry = undefined;
    this.#start(server, resyncing);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort();
    for (const { retry } of this.#servers.values()) retry?.cancel();
    await Promise.all([...this.#servers.values()].map(async ({ work }) => work));
  }

  #start(server: ServerName, resyncing: Resyncing): void {
    if (this.#closed.signal.aborted || resyncing.work || resyncing.retry) return;
    resyncing.work = this.#turns
      .run(() => this.#resyncAll(server, resyncing))
      .finally(() => {
        resyncing.work = undefined;
        const { waitMs } = resyncing.backoff;
        if (waitMs > 0 && !this.#closed.signal.aborted) this.#retryLater(server, resyncing, waitMs);
        else if (resyncing.hasMore) this.#start(server, resyncing);
        else this.#servers.delete(server);
      });
  }

  #retryLater(server: ServerName, resyncing: Resyncing, waitMs: number): void {
    resyncing.retry = this.#parts.clock.setTimer(waitMs, () => {
      resyncing.retry = undefined;
      this.#start(server, resyncing);
    });
  }

  async #resyncAll(server: ServerName, resyncing: Resyncing): Promise<void> {
    const { store, log } = this.#parts;
    try {
      while (!this.#closed.signal.aborted) {
        resyncing.hasMore = false;
        const users = await store.staleUsers(server, usersAtOnce);
        if (users.length === 0) return;
        for (const userNid of users) await this.#resync(userNid);
        resyncing.backoff.ended();
        await this.#pause();
      }
    } catch (error) {
      if (this.#closed.signal.aborted) return;
      if (error instanceof FederationError) log.info({ err: error, server }, "device lists cannot be had");
      else log.error({ err: error, server }, "device lists could not be brought up to date");
      resyncing.hasMore = true;
      resyncing.backoff.failed();
    }
  }

  /** A list that becomes stale as soon as it is there is not asked for without end. */
  async #pause(): Promise<void> {
    const { signal } = this.#closed;
    const over = Promise.withResolvers<void>();
    const end = () => over.resolve();
    using _timer = this.#parts.clock.setTimer(pauseMs, end);
    signal.addEventListener("abort", end, { once: true });
    if (!signal.aborted) await over.promise;
    signal.removeEventListener("abort", end);
  }

  /** @throws FederationError when the server may answer later */
  async #resync(userNid: number): Promise<void> {
    const { lists, names, store, log } = this.#parts;
    const userId = (await names.userId(userNid)) as UserId;
    try {
      await lists.fetch(userNid, userId, { timeoutMs, signal: this.#closed.signal });
    } catch (error) {
      if (!isForGood(error)) throw error;
      // Its server does not know the user. Should there be keys after all, clients are answered from their server.
      log.info({ err: error, userId }, "a device list is not to be had");
      await store.forget(userNid);
    }
  }
}

/** Whether the same question would be answered in the same way the next time. */
function isForGood(error: unknown): boolean {
  if (!(error instanceof FederationError) || error.failure !== "refused") return false;
  const { status = 0 } = error;
  return status === 400 || status === 403 || status === 404;
}
