import { LRUCache } from "lru-cache";
import { MatrixError } from "../protocol/matrix-error.ts";
import type { SessionStore, TokenOwner } from "../storage/sessions.ts";
import type { Clock } from "../telemetry/clock.ts";
import type { DeviceActivity } from "./device-activity.ts";
import type { Authenticator, ClientInfo, Requester } from "./requester.ts";
import { hashToken } from "./tokens.ts";

interface CachedSession {
  readonly requester: Requester;
  readonly expiresTs: number | null;
  /** When storage was asked, by the monotonic clock. */
  readonly readMs: number;
  seenMs: number;
}

/** Sessions kept in memory: one for each device that was active of late, at some 300 bytes. */
const maxCachedSessions = 50_000;
/** Another process, such as the command line, may change accounts without telling this one. */
const recheckAfterMs = 60_000;
/** A device's last use is worth a note this often. */
const sightingIntervalMs = 60_000;

/** Knows whose access token is whose, from memory where it can. */
export class TokenAuthenticator implements Authenticator {
  readonly #sessions: SessionStore;
  readonly #activity: DeviceActivity;
  readonly #clock: Clock;
  readonly #cache = new LRUCache<string, CachedSession>({
    maxSize: maxCachedSessions,
    sizeCalculation: () => 1,
    dispose: ({ requester }, key) => this.#unlist(requester.userNid, key),
  });
  readonly #keysByUser = new Map<number, Set<string>>();
  /** Grows with each invalidation: what was read before one is not put into the cache after it. */
  #invalidations = 0;

  constructor(sessions: SessionStore, activity: DeviceActivity, clock: Clock) {
    this.#sessions = sessions;
    this.#activity = activity;
    this.#clock = clock;
  }

  /**
   * Client-server API, "Using access tokens".
   * @throws MatrixError M_UNKNOWN_TOKEN, with `soft_logout` when the token has expired.
   */
  async requesterOf(accessToken: string, client: ClientInfo): Promise<Requester> {
    const tokenHash = hashToken(accessToken);
    const key = tokenHash.toString("latin1");
    const nowMs = this.#clock.monotonicMs();
    let session = this.#cache.get(key);
    if (!session || nowMs - session.readMs > recheckAfterMs) session = await this.#load(key, tokenHash);
    if (session.expiresTs !== null && session.expiresTs <= this.#clock.nowMs()) {
      throw new MatrixError("M_UNKNOWN_TOKEN", "This access token has expired: refresh it or log in again", {
        soft_logout: true,
      });
    }
    if (nowMs - session.seenMs >= sightingIntervalMs) {
      session.seenMs = nowMs;
      this.#activity.saw(session.requester, client);
    }
    return session.requester;
  }

  appserviceOf(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  /** Makes the next request of each of a user's devices ask storage again. */
  forgetUser(userNid: number): void {
    this.#invalidations += 1;
    for (const key of this.#keysByUser.get(userNid) ?? []) this.#cache.delete(key);
  }

  async #load(key: string, tokenHash: Buffer): Promise<CachedSession> {
    const invalidations = this.#invalidations;
    const known = this.#cache.peek(key);
    const owner = await this.#sessions.findByAccessToken(tokenHash);
    if (!owner) {
      this.#cache.delete(key);
      throw new MatrixError("M_UNKNOWN_TOKEN", "This access token is not known: log in again", {
        soft_logout: false,
      });
    }
    if (owner.isUnconfirmed) {
      await this.#sessions.confirmRefresh(tokenHash);
      this.forgetUser(owner.userNid);
    }
    const session = this.#sessionOf(owner, tokenHash, known?.seenMs);
    if (invalidations === this.#invalidations) this.#remember(key, session);
    return session;
  }

  #sessionOf(owner: TokenOwner, tokenHash: Buffer, seenMs = -Infinity): CachedSession {
    const { userNid, userId, deviceId, isGuest, isAdmin, isLocked, isSuspended, expiresTs } = owner;
    return {
      requester: { userNid, userId, deviceId, isGuest, isAdmin, isLocked, isSuspended, tokenHash },
      expiresTs,
      readMs: this.#clock.monotonicMs(),
      seenMs,
    };
  }

  #remember(key: string, session: CachedSession): void {
    this.#cache.set(key, session);
    const keys = this.#keysByUser.get(session.requester.userNid);
    if (keys) keys.add(key);
    else this.#keysByUser.set(session.requester.userNid, new Set([key]));
  }

  #unlist(userNid: number, key: string): void {
    const keys = this.#keysByUser.get(userNid);
    keys?.delete(key);
    if (keys?.size === 0) this.#keysByUser.delete(userNid);
  }
}
