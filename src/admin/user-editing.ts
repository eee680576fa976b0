import type { Requester } from "../auth/requester.ts";
import { localpart, type UserId } from "../protocol/identifiers.ts";
import { MatrixError } from "../protocol/matrix-error.ts";
import type { AccountModeration } from "../services/accounts/moderation.ts";
import type { OwnAccount } from "../services/accounts/own-account.ts";
import type { Registration } from "../services/accounts/registration.ts";
import type { SessionsChanged } from "../services/accounts/sessions.ts";
import type { Contacts, UnbindResult } from "../services/contacts/contacts.ts";
import type { ProfileEditing } from "../services/profiles/profile-editing.ts";
import type { Account, AccountChanges, AccountStore } from "../storage/accounts.ts";
import type { ContactAddress } from "../storage/contacts.ts";
import type { ExternalId, ExternalIdStore } from "../storage/external-ids.ts";
import type { Clock } from "../telemetry/clock.ts";

export interface UserEditingParts {
  readonly accounts: Pick<AccountStore, "find" | "update">;
  readonly externalIds: Pick<ExternalIdStore, "replace">;
  readonly registration: Pick<Registration, "register" | "userIdFor">;
  readonly ownAccount: OwnAccount;
  readonly moderation: Pick<AccountModeration, "change">;
  readonly contacts: Pick<Contacts, "replace">;
  readonly profiles: Pick<ProfileEditing, "check" | "put">;
  readonly sessionsChanged: SessionsChanged;
  readonly clock: Clock;
}

/** What an administrator wants of an account; what is left away stays, or is as it is for everybody who is new. */
export interface UserWish {
  readonly password?: string | undefined;
  /** Whether a new password ends all sessions. */
  readonly logOutDevices: boolean;
  /** Empty for none. */
  readonly displayName?: string | undefined;
  /** Empty for none. */
  readonly avatarUrl?: string | undefined;
  readonly contacts?: readonly ContactAddress[] | undefined;
  readonly externalIds?: readonly ExternalId[] | undefined;
  readonly isAdmin?: boolean | undefined;
  readonly isDeactivated?: boolean | undefined;
  readonly isLocked?: boolean | undefined;
  /** `null` for an ordinary user. */
  readonly userType?: string | null | undefined;
}

const userTypes: readonly (string | null | undefined)[] = [undefined, null, "bot", "support"];

/** Makes and changes accounts, for administrators. */
export class UserEditing {
  readonly #parts: UserEditingParts;

  constructor(parts: UserEditingParts) {
    this.#parts = parts;
  }

  /** @throws MatrixError M_INVALID_USERNAME, M_WEAK_PASSWORD, M_INVALID_PARAM, M_BAD_JSON, M_THREEPID_IN_USE, M_CONFLICT */
  async create(userId: UserId, wish: UserWish): Promise<void> {
    const { registration, accounts, profiles, clock } = this.#parts;
    if (registration.userIdFor(localpart(userId)) !== userId) {
      throw new MatrixError("M_INVALID_USERNAME", "New usernames have no capital letters");
    }
    checkUserType(wish.userType, null);
    this.#checkProfile(wish);
    if (wish.isDeactivated || wish.isLocked) {
      throw new MatrixError("M_INVALID_PARAM", `There is no account ${userId} yet to deactivate or lock`);
    }
    const nowTs = clock.nowMs();
    await registration.register({
      userId,
      password: wish.password ?? null,
      displayName: wish.displayName || localpart(userId),
      isAdmin: wish.isAdmin ?? false,
      userType: wish.userType ?? null,
      contacts: wish.contacts?.map((contact) => ({ ...contact, validatedTs: nowTs, addedTs: nowTs })),
      externalIds: wish.externalIds,
    });
    const { avatarUrl } = wish;
    const account = await accounts.find(userId);
    if (account && avatarUrl !== undefined) await profiles.put(account.userNid, "avatar_url", avatarUrl);
  }

  /**
   * @throws MatrixError M_FORBIDDEN for locking an administrator or oneself, M_WEAK_PASSWORD, M_INVALID_PARAM, M_BAD_JSON,
   *   M_THREEPID_IN_USE, M_CONFLICT
   */
  async modify(requester: Requester, account: Account, wish: UserWish): Promise<void> {
    const { contacts, profiles, moderation } = this.#parts;
    const { userNid, userId } = account;
    this.#checkModification(requester, account, wish);
    if (wish.displayName !== undefined) await profiles.put(userNid, "displayname", wish.displayName);
    if (wish.avatarUrl !== undefined) await profiles.put(userNid, "avatar_url", wish.avatarUrl);
    if (wish.contacts) await contacts.replace(account, wish.contacts);
    if (wish.externalIds) await this.#replaceExternalIds(userNid, wish.externalIds);
    await this.#update(account, wish);
    await this.#changeAccess(account, wish);
    const { isLocked } = wish;
    if (isLocked !== undefined && isLocked !== account.isLocked) {
      await moderation.change(requester, userId, { isLocked });
    }
  }

  /** @throws MatrixError M_FORBIDDEN for taking one's own rights away */
  async setAdmin(requester: Requester, account: Account, isAdmin: boolean): Promise<void> {
    refuseOwnDemotion(requester, account, isAdmin);
    await this.#update(account, { isAdmin });
  }

  /** @throws MatrixError M_WEAK_PASSWORD, M_INVALID_PARAM also for an account that has been deactivated */
  async resetPassword(account: Account, password: string, logOutDevices: boolean): Promise<void> {
    refuseDeactivated(account);
    await this.#parts.ownAccount.changePassword(account.userNid, password, logOutDevices, null);
  }

  /** An account that has been deactivated already can be erased still. */
  deactivate(account: Account, erase: boolean): Promise<UnbindResult> {
    return this.#parts.ownAccount.deactivate(account, erase || account.isErased);
  }

  /** What cannot be done is refused before anything is changed. */
  #checkModification(requester: Requester, account: Account, wish: UserWish): void {
    refuseOwnDemotion(requester, account, wish.isAdmin);
    checkUserType(wish.userType, account.userType);
    this.#checkProfile(wish);
    const staysDeactivated = wish.isDeactivated ?? account.isDeactivated;
    if (staysDeactivated && wish.isLocked) {
      throw new MatrixError("M_INVALID_PARAM", "An account cannot be both deactivated and locked");
    }
    if (wish.password === undefined) return;
    if (staysDeactivated) refuseDeactivated({ ...account, isDeactivated: true });
    this.#parts.ownAccount.checkNewPassword(wish.password);
  }

  #checkProfile({ displayName, avatarUrl }: UserWish): void {
    const { profiles } = this.#parts;
    if (displayName !== undefined) profiles.check("displayname", displayName);
    if (avatarUrl !== undefined) profiles.check("avatar_url", avatarUrl);
  }

  async #replaceExternalIds(userNid: number, ids: readonly ExternalId[]): Promise<void> {
    const { externalIds, clock } = this.#parts;
    if (await externalIds.replace(userNid, ids, clock.nowMs())) return;
    throw new MatrixError("M_CONFLICT", "Another account has one of these external IDs");
  }

  async #update({ userNid }: Account, { isAdmin, userType }: Partial<UserWish>): Promise<void> {
    const changes: AccountChanges = {
      ...(isAdmin !== undefined && { isAdmin }),
      ...(userType !== undefined && { userType }),
    };
    if (Object.keys(changes).length === 0) return;
    await this.#parts.accounts.update(userNid, changes);
    this.#parts.sessionsChanged(userNid);
  }

  /** Password and end of an account. */
  async #changeAccess(account: Account, { password, isDeactivated, logOutDevices }: UserWish): Promise<void> {
    const { ownAccount } = this.#parts;
    const { userNid } = account;
    if (account.isDeactivated) {
      if (isDeactivated === false) await ownAccount.reactivate(userNid, password ?? null);
      return;
    }
    if (isDeactivated) await ownAccount.deactivate(account, false);
    else if (password !== undefined) {
      await ownAccount.changePassword(userNid, password, logOutDevices, null);
    }
  }
}

/** Nobody is to be locked out of their own server. */
function refuseOwnDemotion(requester: Requester, { userNid }: Account, isAdmin: boolean | undefined): void {
  if (isAdmin !== false || userNid !== requester.userNid) return;
  throw new MatrixError("M_INVALID_PARAM", "You cannot take your own rights as an administrator away");
}

function refuseDeactivated({ userId, isDeactivated }: Account): void {
  if (!isDeactivated) return;
  throw new MatrixError("M_INVALID_PARAM", `${userId} has been deactivated: reactivate it with its password`);
}

function checkUserType(wished: string | null | undefined, present: string | null): void {
  if (userTypes.includes(wished) || wished === present) return;
  throw new MatrixError("M_INVALID_PARAM", "user_type has to be bot, support or null");
}
