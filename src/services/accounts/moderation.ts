import type { Requester } from "../../auth/requester.ts";
import type { ServerName, UserId } from "../../protocol/identifiers.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { Account, AccountChanges, AccountStore } from "../../storage/accounts.ts";
import type { Device } from "../../storage/devices.ts";
import type { Devices } from "../devices.ts";
import { localAccount } from "./local-account.ts";
import type { SessionsChanged } from "./sessions.ts";

/** What administrators do with the accounts of others (client-server API, "Server Administration"). */
export class AccountModeration {
  readonly #accounts: AccountStore;
  readonly #devices: Devices;
  readonly #serverName: ServerName;
  readonly #sessionsChanged: SessionsChanged;

  constructor(
    accounts: AccountStore,
    devices: Devices,
    serverName: ServerName,
    sessionsChanged: SessionsChanged,
  ) {
    this.#accounts = accounts;
    this.#devices = devices;
    this.#serverName = serverName;
    this.#sessionsChanged = sessionsChanged;
  }

  /**
   * The devices of an account: for its owner and for administrators.
   * @throws MatrixError M_FORBIDDEN, M_INVALID_PARAM, M_NOT_FOUND.
   */
  async devicesOf(requester: Requester, userId: UserId): Promise<Device[]> {
    if (userId === requester.userId) return this.#devices.list(requester);
    if (!requester.isAdmin) {
      throw new MatrixError("M_FORBIDDEN", "Only an administrator of this server may look at others");
    }
    return this.#devices.list(await this.#account(userId));
  }

  /**
   * An account that the requester may lock or suspend.
   * @param requester an administrator
   * @throws MatrixError M_INVALID_PARAM for a user of another server, M_NOT_FOUND, M_FORBIDDEN for another administrator.
   */
  async moderated(requester: Requester, userId: UserId): Promise<Account> {
    const account = await this.#account(userId);
    if (account.isAdmin && account.userNid !== requester.userNid) {
      throw new MatrixError("M_FORBIDDEN", "Administrators cannot be locked or suspended");
    }
    return account;
  }

  /**
   * Locks, suspends or frees an account.
   * @throws MatrixError as `moderated`; M_FORBIDDEN for the requester's own account.
   */
  async change(
    requester: Requester,
    userId: UserId,
    changes: Pick<AccountChanges, "isLocked" | "isSuspended">,
  ): Promise<void> {
    const { userNid } = await this.moderated(requester, userId);
    if (userNid === requester.userNid) {
      throw new MatrixError("M_FORBIDDEN", "You cannot lock or suspend yourself");
    }
    await this.#accounts.update(userNid, changes);
    this.#sessionsChanged(userNid);
  }

  async #account(userId: UserId): Promise<Account> {
    const account = await localAccount(this.#accounts, this.#serverName, userId);
    if (!account.isDeactivated) return account;
    throw new MatrixError("M_NOT_FOUND", `The account ${userId} has been deactivated`);
  }
}
