import type { ServerName, UserId } from "../protocol/identifiers.ts";
import { MatrixError } from "../protocol/matrix-error.ts";
import { localAccount } from "../services/accounts/local-account.ts";
import type { Devices } from "../services/devices.ts";
import type { MemberProfiles } from "../services/rooms/member-profile.ts";
import type { Account, AccountStore } from "../storage/accounts.ts";
import type { Contact, ContactAddress, ContactStore } from "../storage/contacts.ts";
import type { ExternalId, ExternalIdStore } from "../storage/external-ids.ts";

export interface UsersParts {
  readonly accounts: Pick<AccountStore, "find" | "findByNid">;
  readonly contacts: Pick<ContactStore, "list" | "ownerOf">;
  readonly externalIds: Pick<ExternalIdStore, "find" | "list">;
  readonly profiles: MemberProfiles;
  readonly devices: Pick<Devices, "list">;
  readonly serverName: ServerName;
}

/** All that administrators are told of one user. */
export interface UserDetails {
  readonly account: Account;
  readonly displayName: string | null;
  readonly avatarUrl: string | null;
  readonly contacts: readonly Contact[];
  readonly externalIds: readonly ExternalId[];
  /** When one of the user's devices was last used. */
  readonly lastSeenTs: number | null;
}

/** Looks the users of this server up, for administrators. */
export class Users {
  readonly #parts: UsersParts;

  constructor(parts: UsersParts) {
    this.#parts = parts;
  }

  /** @throws MatrixError M_INVALID_PARAM for a user of another server, M_NOT_FOUND */
  account(userId: UserId): Promise<Account> {
    return localAccount(this.#parts.accounts, this.#parts.serverName, userId);
  }

  /** @throws MatrixError as `account` */
  async details(userId: UserId): Promise<UserDetails> {
    const { contacts, externalIds, profiles, devices } = this.#parts;
    const account = await this.account(userId);
    const { displayname, avatar_url: avatarUrl } = await profiles.memberContent(account.userNid);
    const seen = (await devices.list(account)).map(({ lastSeenTs }) => lastSeenTs ?? 0);
    const lastSeenTs = Math.max(0, ...seen);
    return {
      account,
      displayName: typeof displayname === "string" ? displayname : null,
      avatarUrl: typeof avatarUrl === "string" ? avatarUrl : null,
      contacts: await contacts.list(account.userNid),
      externalIds: await externalIds.list(account.userNid),
      lastSeenTs: lastSeenTs === 0 ? null : lastSeenTs,
    };
  }

  /** The user whose address it is. @throws MatrixError M_NOT_FOUND */
  async withContact(contact: ContactAddress): Promise<UserId> {
    return this.#named(await this.#parts.contacts.ownerOf(contact));
  }

  /** The user who somebody is here whom a provider of single sign-on knows. @throws MatrixError M_NOT_FOUND */
  async withExternalId(id: ExternalId): Promise<UserId> {
    return this.#named(await this.#parts.externalIds.find(id));
  }

  async #named(userNid: number | undefined): Promise<UserId> {
    const account = userNid === undefined ? undefined : await this.#parts.accounts.findByNid(userNid);
    if (account) return account.userId;
    throw new MatrixError("M_NOT_FOUND", "No user of this server is known by this");
  }
}
