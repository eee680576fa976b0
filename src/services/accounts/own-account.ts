import type { PasswordHasher } from "../../auth/password-hasher.ts";
import type { Contacts, UnbindResult } from "../contacts/contacts.ts";
import type { LocalUser } from "../local-user.ts";
import type { Requester } from "../../auth/requester.ts";
import type { AccountStore } from "../../storage/accounts.ts";
import type { Departures } from "./departures.ts";
import type { PasswordPolicy } from "./new-password.ts";
import type { SessionsChanged } from "./sessions.ts";

/** What users do with their own accounts (client-server API, "Account management"). */
export class OwnAccount {
  readonly #accounts: AccountStore;
  readonly #hasher: PasswordHasher;
  readonly #passwordPolicy: PasswordPolicy;
  readonly #contacts: Contacts;
  readonly #departures: Departures;
  readonly #sessionsChanged: SessionsChanged;

  constructor(
    accounts: AccountStore,
    hasher: PasswordHasher,
    passwordPolicy: PasswordPolicy,
    contacts: Contacts,
    departures: Departures,
    sessionsChanged: SessionsChanged,
  ) {
    this.#accounts = accounts;
    this.#hasher = hasher;
    this.#passwordPolicy = passwordPolicy;
    this.#contacts = contacts;
    this.#departures = departures;
    this.#sessionsChanged = sessionsChanged;
  }

  /** Whether the user's password is kept here: who logs in elsewhere has none. */
  async hasPassword({ userNid }: Requester): Promise<boolean> {
    const account = await this.#accounts.findByNid(userNid);
    return account !== undefined && account.passwordHash !== null;
  }

  /** What is to be asked before somebody confirms who they are. @throws MatrixError M_WEAK_PASSWORD, M_INVALID_PARAM */
  checkNewPassword(password: string): void {
    this.#passwordPolicy.check(password);
  }

  /**
   * @param logOutDevices whether all devices are removed but this one
   * @param deviceId the device that makes the change, if one does
   * @throws MatrixError M_WEAK_PASSWORD, M_INVALID_PARAM, M_LIMIT_EXCEEDED.
   */
  async changePassword(
    userNid: number,
    password: string,
    logOutDevices: boolean,
    deviceId: string | null,
  ): Promise<void> {
    this.#passwordPolicy.check(password);
    const passwordHash = await this.#hasher.hash(password);
    if (logOutDevices) await this.#accounts.changePassword(userNid, passwordHash, deviceId);
    else await this.#accounts.setPasswordHash(userNid, passwordHash);
    this.#sessionsChanged(userNid);
  }

  /**
   * Ends the account for ever; the user leaves all rooms in the background.
   * @param erase whether messages are to be hidden from those who join their rooms later
   * @param identityServer from which the user's addresses are taken back; otherwise from where they were published
   * @returns whether no address is left published
   */
  async deactivate(user: LocalUser, erase: boolean, identityServer?: string): Promise<UnbindResult> {
    const withdraw = await this.#contacts.withdrawAll(user, identityServer);
    await this.#accounts.deactivate(user.userNid, erase);
    this.#sessionsChanged(user.userNid);
    this.#departures.begin();
    return withdraw();
  }

  /**
   * Opens an account again that was ended: without its devices, addresses and data, and in no room.
   * @param password `null` for who signs in elsewhere, or is given one later
   * @throws MatrixError M_WEAK_PASSWORD, M_INVALID_PARAM
   */
  async reactivate(userNid: number, password: string | null): Promise<void> {
    if (password !== null) this.#passwordPolicy.check(password);
    const passwordHash = password === null ? null : await this.#hasher.hash(password);
    await this.#accounts.reactivate(userNid, passwordHash);
    this.#sessionsChanged(userNid);
  }
}
