import type { BrowserSession, BrowserSessionStore } from "../storage/browser-sessions.ts";
import type { Clock } from "../telemetry/clock.ts";
import type { RandomBytes } from "../telemetry/random.ts";
import { hashToken, newToken } from "./tokens.ts";

/** How long somebody stays signed in to the pages of this server. What matters asks for a fresh proof all the same. */
export const browserSessionLifetimeMs = 7 * 24 * 60 * 60 * 1000;
const freshForMs = 10 * 60 * 1000;

/** Who is signed in to the pages of this server, by the secret that a browser keeps as a cookie. */
export class BrowserSessions {
  readonly #store: BrowserSessionStore;
  readonly #clock: Clock;
  readonly #randomBytes: RandomBytes;

  constructor(store: BrowserSessionStore, clock: Clock, randomBytes: RandomBytes) {
    this.#store = store;
    this.#clock = clock;
    this.#randomBytes = randomBytes;
  }

  /** Somebody has proved who they are. Returns the secret for their browser. */
  async start(userNid: number): Promise<string> {
    const { token, hash } = newToken("browser", this.#randomBytes);
    const createdTs = this.#clock.nowMs();
    const session = { userNid, createdTs, expiresTs: createdTs + browserSessionLifetimeMs };
    await this.#store.add(hash, session, createdTs);
    return token;
  }

  async find(secret: string | undefined): Promise<BrowserSession | undefined> {
    return secret === undefined ? undefined : this.#store.find(hashToken(secret), this.#clock.nowMs());
  }

  /** Whether somebody has proved who they are a moment ago: before what nobody shall do at an unwatched screen. */
  isFresh({ createdTs }: BrowserSession): boolean {
    return this.#clock.nowMs() - createdTs < freshForMs;
  }

  async end(secret: string | undefined): Promise<void> {
    if (secret !== undefined) await this.#store.remove(hashToken(secret));
  }
}
