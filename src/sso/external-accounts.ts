import type { AppserviceRegistry } from "../appservices/registry.ts";
import { parseEmailAddress } from "../protocol/email-address.ts";
import { makeUserId, mapToLocalpart, type ServerName, type UserId } from "../protocol/identifiers.ts";
import { MatrixError } from "../protocol/matrix-error.ts";
import { refuseUnusable } from "../services/accounts/login.ts";
import type { Registration } from "../services/accounts/registration.ts";
import type { Account, AccountStore } from "../storage/accounts.ts";
import type { ContactStore } from "../storage/contacts.ts";
import type { ExternalIdStore } from "../storage/external-ids.ts";
import type { Clock } from "../telemetry/clock.ts";
import type { ExternalIdentity } from "./single-sign-on.ts";
import type { ProviderConfig } from "./upstream-provider.ts";

export interface ExternalAccountParts {
  readonly accounts: AccountStore;
  readonly contacts: ContactStore;
  readonly externalIds: ExternalIdStore;
  readonly registration: Registration;
  /** Some names are application services' own. */
  readonly appservices: AppserviceRegistry;
  readonly serverName: ServerName;
  readonly clock: Clock;
}

/** Who is here whom a provider has signed in: the account is found, linked or made. */
export class ExternalAccounts {
  readonly #parts: ExternalAccountParts;

  constructor(parts: ExternalAccountParts) {
    this.#parts = parts;
  }

  /**
   * The account of somebody whom a provider has signed in.
   * @returns `undefined` for somebody new who has to choose a username first
   * @throws MatrixError M_USER_DEACTIVATED, M_USER_LOCKED; M_FORBIDDEN for somebody new where nobody new gets an account.
   */
  async accountOf(identity: ExternalIdentity, provider: ProviderConfig): Promise<Account | undefined> {
    const known = await this.knownAs(identity);
    if (known) return known;
    const existing = await this.#linkExisting(identity, provider);
    if (existing) return existing;
    if (!provider.register_new_users) {
      throw new MatrixError(
        "M_FORBIDDEN",
        "Nobody here has this account, and new ones are made by administrators",
      );
    }
    if (provider.confirm_localpart || identity.localpart === undefined) return undefined;
    try {
      return await this.register(identity, mappedLocalpart(identity.localpart));
    } catch (error) {
      // The name cannot be had: another one has to be chosen.
      const isName =
        error instanceof MatrixError && /USER_IN_USE|INVALID_USERNAME|EXCLUSIVE/.test(error.errcode);
      if (isName) return undefined;
      throw error;
    }
  }

  /**
   * The account that somebody had here before.
   * @throws MatrixError M_USER_DEACTIVATED, M_USER_LOCKED.
   */
  async knownAs({ providerId, externalId }: ExternalIdentity): Promise<Account | undefined> {
    const { accounts, externalIds } = this.#parts;
    const userNid = await externalIds.find({ providerId, externalId });
    const account = userNid === undefined ? undefined : await accounts.findByNid(userNid);
    if (account) refuseUnusable(account);
    return account;
  }

  /**
   * Makes an account for somebody whom a provider has signed in.
   * @throws MatrixError M_INVALID_USERNAME, M_USER_IN_USE, M_EXCLUSIVE.
   */
  async register(identity: ExternalIdentity, username: string): Promise<Account> {
    const { accounts, appservices, registration, clock } = this.#parts;
    const userId = registration.userIdFor(username);
    appservices.checkNewUser(userId, undefined);
    await registration.checkAvailable(userId);
    const { providerId, externalId, displayName } = identity;
    const createdTs = clock.nowMs();
    const email = await this.#freeEmail(identity, createdTs);
    const account = {
      userId,
      passwordHash: null,
      createdTs,
      isAdmin: false,
      isGuest: false,
      userType: null,
      appserviceId: null,
      displayName: displayName?.slice(0, 256) ?? username,
    };
    const extras = { externalIds: [{ providerId, externalId }], ...(email && { contacts: [email] }) };
    const outcome = await accounts.create(account, extras);
    if (outcome.created) return this.#found(outcome.userNid);
    // The same person may have come twice at once.
    const known = outcome.reason === "external-id-in-use" ? await this.knownAs(identity) : undefined;
    if (known) return known;
    throw new MatrixError("M_USER_IN_USE", `${userId} is taken: choose another username`);
  }

  async #linkExisting(identity: ExternalIdentity, provider: ProviderConfig): Promise<Account | undefined> {
    const userId = this.#mappedUserId(identity);
    if (!provider.link_existing_accounts || userId === undefined) return undefined;
    const { accounts, externalIds, clock } = this.#parts;
    const account = await accounts.find(userId);
    if (!account || account.isGuest || account.appserviceId !== null) return undefined;
    refuseUnusable(account);
    const { providerId, externalId } = identity;
    await externalIds.link(account.userNid, { providerId, externalId }, clock.nowMs());
    return account;
  }

  #mappedUserId({ localpart }: ExternalIdentity): UserId | undefined {
    return localpart === undefined
      ? undefined
      : makeUserId(mappedLocalpart(localpart), this.#parts.serverName);
  }

  /** An address that is somebody else's stays theirs. */
  async #freeEmail({ email }: ExternalIdentity, nowTs: number) {
    const address = email === undefined ? undefined : parseEmailAddress(email);
    if (address === undefined) return undefined;
    const contact = { medium: "email", address, validatedTs: nowTs, addedTs: nowTs } as const;
    return (await this.#parts.contacts.ownerOf(contact)) === undefined ? contact : undefined;
  }

  async #found(userNid: number): Promise<Account> {
    const account = await this.#parts.accounts.findByNid(userNid);
    if (!account) throw new TypeError("an account is gone that has just been made");
    return account;
  }
}

/** Appendices, "Mapping from other character sets". */
function mappedLocalpart(text: string): string {
  return mapToLocalpart(text, { distinguishCase: false });
}
