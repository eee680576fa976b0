import type { Requester } from "../../auth/requester.ts";
import { hashToken, newToken } from "../../auth/tokens.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { DeviceStore } from "../../storage/devices.ts";
import type { SessionStore } from "../../storage/sessions.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { RandomBytes } from "../../telemetry/random.ts";
import type { Credentials, SessionFactory } from "./new-session.ts";

/** Told when sessions of a user have ended or changed: what remembers them forgets, and their long polls wake. */
export type SessionsChanged = (userNid: number) => void;

export interface LoginToken {
  readonly token: string;
  readonly expiresInMs: number;
}

const loginTokenLifetimeMs = 2 * 60 * 1000;
/** "Around five seconds", and some more for a phone that has to start its app first. */
const signOnTokenLifetimeMs = 15 * 1000;

/** What users do with the sessions that they have. */
export class Sessions {
  readonly #sessions: SessionStore;
  readonly #devices: DeviceStore;
  readonly #factory: SessionFactory;
  readonly #changed: SessionsChanged;
  readonly #clock: Clock;
  readonly #randomBytes: RandomBytes;

  constructor(
    sessions: SessionStore,
    devices: DeviceStore,
    factory: SessionFactory,
    changed: SessionsChanged,
    clock: Clock,
    randomBytes: RandomBytes,
  ) {
    this.#sessions = sessions;
    this.#devices = devices;
    this.#factory = factory;
    this.#changed = changed;
    this.#clock = clock;
    this.#randomBytes = randomBytes;
  }

  /**
   * Client-server API, "Refreshing access tokens".
   * @throws MatrixError M_UNKNOWN_TOKEN, M_USER_LOCKED.
   */
  async refresh(refreshToken: string): Promise<Credentials> {
    const { tokens, credentials } = this.#factory.createTokens(true);
    const outcome = await this.#sessions.refresh(hashToken(refreshToken), tokens);
    if (outcome === "unknown") {
      throw new MatrixError(
        "M_UNKNOWN_TOKEN",
        "This refresh token is not known or has been used: log in again",
        {
          soft_logout: false,
        },
      );
    }
    if (outcome === "locked") {
      throw new MatrixError("M_USER_LOCKED", "This account has been locked", { soft_logout: true });
    }
    this.#changed(outcome.userNid);
    return credentials;
  }

  /** Ends the session of the request, and its device with it. */
  async logOut({ userNid, deviceId }: Requester): Promise<void> {
    await this.#devices.remove(userNid, [deviceId]);
    this.#changed(userNid);
  }

  /** Ends every session of a user, and removes all devices. */
  async logOutEverywhere({ userNid }: Requester): Promise<void> {
    await this.#devices.removeAll(userNid, null);
    this.#changed(userNid);
  }

  /** A token that lets another client log in as the same user, once and soon (client-server API, `/login/get_token`). */
  createLoginToken({ userNid }: Requester): Promise<LoginToken> {
    return this.#newLoginToken(userNid, loginTokenLifetimeMs);
  }

  /** A token for the client that somebody is sent back to, where it is used at once ("Client login via SSO"). */
  async createSignOnToken(userNid: number): Promise<string> {
    return (await this.#newLoginToken(userNid, signOnTokenLifetimeMs)).token;
  }

  async #newLoginToken(userNid: number, expiresInMs: number): Promise<LoginToken> {
    const { token, hash } = newToken("login", this.#randomBytes);
    const nowMs = this.#clock.nowMs();
    await this.#sessions.addLoginToken(userNid, hash, nowMs + expiresInMs, nowMs);
    return { token, expiresInMs };
  }
}
