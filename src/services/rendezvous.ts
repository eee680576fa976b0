import { MatrixError } from "../protocol/matrix-error.ts";
import type { Clock } from "../telemetry/clock.ts";
import type { RandomBytes } from "../telemetry/random.ts";

/** What two devices have put where they meet. */
export interface RendezvousSession {
  /** Whoever knows it may read and write. */
  readonly id: string;
  readonly payload: Buffer;
  /** Another one with each write. */
  readonly revision: string;
  readonly modifiedTs: number;
  readonly expiresTs: number;
}

export interface RendezvousWrite {
  /** False when somebody else has written meanwhile. */
  readonly written: boolean;
  /** As it is now. */
  readonly session: RendezvousSession;
}

/** "The server enforce a maximum payload size of 4KB." */
export const maxPayloadBytes = 4096;
/** "The minimum timeout SHOULD be 120 seconds for usability, the maximum timeout SHOULD be 300 seconds for security." */
const lifetimeMs = 300_000;
/** Memory for all of them: 16 MiB. Nobody's session ends because others are begun. */
const maxSessions = 4_096;
const idBytes = 24;
const revisionBytes = 16;

/**
 * Where a device that signs in and one that is signed in meet, to speak over a channel that they secure themselves
 * (MSC4108, MSC4388). A session is gone after five minutes, and after a restart.
 */
export class RendezvousSessions {
  readonly #clock: Clock;
  readonly #randomBytes: RandomBytes;
  /** The oldest come first, and all live equally long. */
  readonly #sessions = new Map<string, RendezvousSession>();

  constructor(clock: Clock, randomBytes: RandomBytes) {
    this.#clock = clock;
    this.#randomBytes = randomBytes;
  }

  /** @throws MatrixError M_TOO_LARGE, M_LIMIT_EXCEEDED when there are too many sessions. */
  create(payload: Buffer): RendezvousSession {
    checkSize(payload);
    const nowTs = this.#clock.nowMs();
    this.#dropExpired(nowTs);
    if (this.#sessions.size >= maxSessions) {
      throw new MatrixError("M_LIMIT_EXCEEDED", "Too many devices are signing in: try again in a moment", {
        retry_after_ms: this.#nextExpiryMs(nowTs),
      });
    }
    const session = {
      id: this.#randomBytes(idBytes).toString("base64url"),
      payload,
      revision: this.#newRevision(),
      modifiedTs: nowTs,
      expiresTs: nowTs + lifetimeMs,
    };
    this.#sessions.set(session.id, session);
    return session;
  }

  /** @throws MatrixError M_NOT_FOUND. */
  get(id: string): RendezvousSession {
    return this.#find(id);
  }

  /**
   * Replaces the payload, if the writer has seen the last one.
   * @param seen the revision that the writer has seen
   * @throws MatrixError M_NOT_FOUND, M_TOO_LARGE.
   */
  write(id: string, seen: string, payload: Buffer): RendezvousWrite {
    const session = this.#find(id);
    checkSize(payload);
    if (seen !== session.revision) return { written: false, session };
    const changed = {
      ...session,
      payload,
      revision: this.#newRevision(),
      modifiedTs: this.#clock.nowMs(),
    };
    this.#sessions.set(id, changed);
    return { written: true, session: changed };
  }

  /** @throws MatrixError M_NOT_FOUND. */
  remove(id: string): void {
    this.#find(id);
    this.#sessions.delete(id);
  }

  /** How long a session still lives. */
  remainingMs({ expiresTs }: RendezvousSession): number {
    return Math.max(0, expiresTs - this.#clock.nowMs());
  }

  #find(id: string): RendezvousSession {
    const session = this.#sessions.get(id);
    if (session && session.expiresTs > this.#clock.nowMs()) return session;
    this.#sessions.delete(id);
    throw new MatrixError("M_NOT_FOUND", "There is no such rendezvous: it may have expired");
  }

  #dropExpired(nowTs: number): void {
    for (const [id, { expiresTs }] of this.#sessions) {
      if (expiresTs > nowTs) return;
      this.#sessions.delete(id);
    }
  }

  #nextExpiryMs(nowTs: number): number {
    for (const { expiresTs } of this.#sessions.values()) return expiresTs - nowTs;
    return 0;
  }

  #newRevision(): string {
    return this.#randomBytes(revisionBytes).toString("base64url");
  }
}

function checkSize(payload: Buffer): void {
  if (payload.length <= maxPayloadBytes) return;
  throw new MatrixError("M_TOO_LARGE", `A rendezvous takes at most ${maxPayloadBytes} bytes`);
}
