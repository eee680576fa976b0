import type { ContactOwners } from "../../auth/contact-owners.ts";
import { type IdentifiesUser, userIdsNamed } from "../../auth/user-identifier.ts";
import type { PasswordCheck } from "../../auth/password-check.ts";
import { hashToken } from "../../auth/tokens.ts";
import type { ServerName } from "../../protocol/identifiers.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { Account, AccountStore } from "../../storage/accounts.ts";
import type { SessionStore } from "../../storage/sessions.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { LoggedIn, SessionFactory, SessionWish } from "./new-session.ts";
import type { SessionsChanged } from "./sessions.ts";

/** What logging in needs of cross-signing keys. */
export interface KeyIds {
  /** Whether a device with this ID would be taken for one of the user's cross-signing keys. */
  isKeyOf(userNid: number, deviceId: string): Promise<boolean>;
}

export interface LoginParts {
  readonly accounts: AccountStore;
  readonly sessions: SessionStore;
  readonly factory: SessionFactory;
  readonly passwords: PasswordCheck;
  readonly owners: ContactOwners;
  readonly crossSigning: KeyIds;
  readonly serverName: ServerName;
  readonly clock: Clock;
  readonly sessionsChanged: SessionsChanged;
}

/** Logs people in (client-server API, "Legacy login"). */
export class Login {
  readonly #parts: LoginParts;

  constructor(parts: LoginParts) {
    this.#parts = parts;
  }

  /** @throws MatrixError M_FORBIDDEN when user or password are wrong, M_LIMIT_EXCEEDED, M_USER_LOCKED, M_MISSING_PARAM. */
  async withPassword(
    who: IdentifiesUser,
    password: string,
    address: string,
    wish: SessionWish,
  ): Promise<LoggedIn> {
    const name = await this.#parts.owners.nameOf(who);
    if (name === undefined) throw new MatrixError("M_MISSING_PARAM", "Missing identifier");
    return this.#logIn(await this.#withPassword(name, password, address), wish);
  }

  /** @throws MatrixError M_FORBIDDEN when the token is not known, was used or has expired. */
  async withToken(token: string, wish: SessionWish): Promise<LoggedIn> {
    const userNid = await this.#parts.sessions.takeLoginToken(hashToken(token), this.#parts.clock.nowMs());
    const account = userNid === undefined ? undefined : await this.#parts.accounts.findByNid(userNid);
    if (!account) throw new MatrixError("M_FORBIDDEN", "This login token is not valid: get another one");
    return this.#logIn(account, wish);
  }

  /**
   * Logs somebody in who has proved otherwise who they are.
   * @throws MatrixError M_USER_DEACTIVATED, M_USER_LOCKED, M_FORBIDDEN, M_INVALID_PARAM for a device ID that cannot be used.
   */
  async asUser(userNid: number, wish: SessionWish): Promise<LoggedIn> {
    const account = await this.#parts.accounts.findByNid(userNid);
    if (!account) throw deactivated();
    return this.#logIn(account, wish);
  }

  /**
   * The account of somebody who gives username and password on a page of ours.
   * @throws MatrixError M_FORBIDDEN, M_LIMIT_EXCEEDED, M_USER_DEACTIVATED, M_USER_LOCKED.
   */
  async checkPassword(name: string, password: string, address: string): Promise<Account> {
    const account = await this.#withPassword(name, password, address);
    refuseUnusable(account);
    return account;
  }

  async #withPassword(name: string, password: string, address: string): Promise<Account> {
    const account = await this.#find(name);
    const isRight = await this.#parts.passwords.check(account, name, password, address);
    if (!account || !isRight) throw new MatrixError("M_FORBIDDEN", "Wrong username or password");
    return account;
  }

  async #find(name: string): Promise<Account | undefined> {
    for (const userId of userIdsNamed(name, this.#parts.serverName)) {
      const account = await this.#parts.accounts.find(userId);
      if (account) return account;
    }
    return undefined;
  }

  async #logIn(account: Account, wish: SessionWish): Promise<LoggedIn> {
    refuseUnusable(account);
    const { userNid, userId } = account;
    const { session, credentials } = this.#parts.factory.create(wish);
    const { deviceId } = session;
    if (wish.deviceId !== undefined && (await this.#parts.crossSigning.isKeyOf(userNid, deviceId))) {
      throw new MatrixError(
        "M_FORBIDDEN",
        "device_id is the ID of one of your cross-signing keys: choose another",
      );
    }
    // The account may have ended while the password was checked.
    if (!(await this.#parts.sessions.start(userNid, session))) throw deactivated();
    // The tokens that the device had before are revoked.
    if (wish.deviceId !== undefined) this.#parts.sessionsChanged(userNid);
    return { ...credentials, userId, deviceId };
  }
}

/** @throws MatrixError M_USER_DEACTIVATED, M_USER_LOCKED. */
export function refuseUnusable({ isDeactivated, isLocked }: Account): void {
  if (isDeactivated) throw deactivated();
  if (isLocked) throw new MatrixError("M_USER_LOCKED", "This account has been locked", { soft_logout: true });
}

function deactivated(): MatrixError {
  return new MatrixError("M_USER_DEACTIVATED", "This account has been deactivated");
}
