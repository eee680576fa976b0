import type { AppserviceRegistry } from "../../appservices/registry.ts";
import { type IdentifiesUser, namedUser, userIdsNamed } from "../../auth/user-identifier.ts";
import {
  isCompliantUserId,
  localpart,
  makeUserId,
  type ServerName,
  type UserId,
} from "../../protocol/identifiers.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { Account, AccountStore } from "../../storage/accounts.ts";
import type { DeviceStore } from "../../storage/devices.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { KeyIds, Login } from "./login.ts";
import {
  checkedDeviceId,
  checkedDeviceName,
  type LoggedIn,
  type SessionFactory,
  type SessionWish,
} from "./new-session.ts";
import type { Registered } from "./registration.ts";

export interface AppserviceAccountsParts {
  readonly registry: AppserviceRegistry;
  readonly accounts: Pick<AccountStore, "create" | "find">;
  readonly devices: Pick<DeviceStore, "create">;
  readonly crossSigning: KeyIds;
  readonly sessions: SessionFactory;
  readonly logins: Pick<Login, "asUser">;
  readonly serverName: ServerName;
  readonly clock: Clock;
  /** Told of each new account: what is remembered of the name from before is no longer so. */
  readonly accountMade: (userNid: number) => void;
}

/** Accounts of application services' users (application service API, "Server admin style permissions"). */
export class AppserviceAccounts {
  readonly #parts: AppserviceAccountsParts;

  constructor(parts: AppserviceAccountsParts) {
    this.#parts = parts;
  }

  /**
   * Makes an account that has no password.
   * @param session `undefined` when nobody is to be logged in
   * @throws MatrixError M_EXCLUSIVE, M_INVALID_USERNAME, M_USER_IN_USE
   */
  async register(
    appserviceId: string,
    username: string | undefined,
    session: SessionWish | undefined,
  ): Promise<Registered> {
    const { registry, accounts, sessions, clock } = this.#parts;
    const userId = this.#newUserId(username);
    registry.checkNewUser(userId, appserviceId);
    const created = session && sessions.create(session);
    const outcome = await accounts.create(
      {
        userId,
        passwordHash: null,
        createdTs: clock.nowMs(),
        isAdmin: false,
        isGuest: false,
        userType: null,
        appserviceId,
        displayName: localpart(userId),
      },
      created ? { session: created.session } : {},
    );
    if (!outcome.created) throw new MatrixError("M_USER_IN_USE", `${userId} has been registered already`);
    this.#parts.accountMade(outcome.userNid);
    return { userId, loggedIn: created && { ...created.credentials, deviceId: created.session.deviceId } };
  }

  /** @throws MatrixError M_EXCLUSIVE, M_FORBIDDEN for a user who has not been registered, M_USER_DEACTIVATED, M_USER_LOCKED */
  async logIn(appserviceId: string, who: IdentifiesUser, wish: SessionWish): Promise<LoggedIn> {
    const name = namedUser(who);
    if (name === undefined) throw new MatrixError("M_MISSING_PARAM", "Missing identifier");
    const appservice = this.#parts.registry.byId(appserviceId);
    const own = userIdsNamed(name, this.#parts.serverName).filter((userId) => appservice?.coversUser(userId));
    if (own.length === 0) {
      throw new MatrixError("M_EXCLUSIVE", "This user is not in the application service's namespaces");
    }
    const account = await this.#find(own);
    if (account) return this.#parts.logins.asUser(account.userNid, wish);
    throw new MatrixError("M_FORBIDDEN", `The application service has not registered ${own[0]}`);
  }

  /**
   * Makes a device that has no access token (application service API, "Creating devices"), unless it is there.
   * @returns whether it has been made
   * @throws MatrixError M_INVALID_PARAM, M_FORBIDDEN for the ID of a cross-signing key
   */
  async createDevice(userNid: number, deviceId: string, displayName: string | undefined): Promise<boolean> {
    const { devices, crossSigning, clock } = this.#parts;
    checkedDeviceId(deviceId);
    if (await crossSigning.isKeyOf(userNid, deviceId)) {
      throw new MatrixError("M_FORBIDDEN", "This is the ID of a cross-signing key of the user");
    }
    const name = displayName === undefined ? null : checkedDeviceName(displayName);
    return devices.create(userNid, { deviceId, displayName: name, createdTs: clock.nowMs() });
  }

  async #find(userIds: readonly UserId[]): Promise<Account | undefined> {
    for (const userId of userIds) {
      const account = await this.#parts.accounts.find(userId);
      if (account) return account;
    }
    return undefined;
  }

  /** Bridges have users of before there were rules for new names, with capitals, and go on making them. */
  #newUserId(username: string | undefined): UserId {
    if (username === undefined) throw new MatrixError("M_MISSING_PARAM", "Missing username");
    const userId = makeUserId(username, this.#parts.serverName);
    if (userId && isCompliantUserId(userId)) return userId;
    throw new MatrixError(
      "M_INVALID_USERNAME",
      "A username has printable ASCII characters without blanks and colons, and is not longer than 255 bytes with @ and server name",
    );
  }
}

/**
 * The application service that makes a request of the type `m.login.application_service`.
 * @param appserviceId of the token that came along
 * @param hasToken whether any came along
 * @throws MatrixError M_MISSING_TOKEN, M_UNKNOWN_TOKEN
 */
export function requireAppservice(appserviceId: string | undefined, hasToken: boolean): string {
  if (appserviceId !== undefined) return appserviceId;
  if (!hasToken) {
    throw new MatrixError("M_MISSING_TOKEN", "This takes the application service's as_token as access token");
  }
  throw new MatrixError("M_UNKNOWN_TOKEN", "The access token is no application service's as_token", {
    soft_logout: false,
  });
}
