import type { PasswordHasher } from "../../auth/password-hasher.ts";
import type { Requester } from "../../auth/requester.ts";
import type { AccountStore } from "../../storage/accounts.ts";
import type { Departures } from "./departures.ts";
import { checkNewPassword } from "./new-password.ts";
import type { SessionsChanged } from "./sessions.ts";

/** What users do with their own accounts (client-server API, "Account management"). */
export class OwnAccount {
  readonly #accounts: AccountStore;
  readonly #hasher: PasswordHasher;
  readonly #departures: Departures;
  readonly #sessionsChanged: SessionsChanged;

  constructor(
    accounts: AccountStore,
    hasher: PasswordHasher,
    departures: Departures,
    sessionsChanged: SessionsChanged,
  ) {
    this.#accounts = accounts;
    this.#hasher = hasher;
    this.#departures = departures;
    this.#sessionsChanged = sessionsChanged;
  }

  /** Whether the user's password is kept here: who logs in elsewhere has none. */
  async hasPassword({ userNid }: Requester): Promise<boolean> {
    const account = await this.#accounts.findByNid(userNid);
    return account !== undefined && account.passwordHash !== null;
  }

  /**
   * @param logOutDevices whether all other devices are removed
   * @throws MatrixError M_WEAK_PASSWORD, M_INVALID_PARAM, M_LIMIT_EXCEEDED.
   */
  async changePassword(requester: Requester, password: string, logOutDevices: boolean): Promise<void> {
    checkNewPassword(password);
    const passwordHash = await this.#hasher.hash(password);
    if (logOutDevices) {
      await this.#accounts.changePassword(requester.userNid, passwordHash, requester.deviceId);
    } else {
      await this.#accounts.setPasswordHash(requester.userNid, passwordHash);
    }
    this.#sessionsChanged(requester.userNid);
  }

  /**
   * Ends the account for ever; the user leaves all rooms in the background.
   * @param erase whether messages are to be hidden from those who join their rooms later
   */
  async deactivate({ userNid }: Requester, erase: boolean): Promise<void> {
    await this.#accounts.deactivate(userNid, erase);
    this.#sessionsChanged(userNid);
    this.#departures.begin();
  }
}
