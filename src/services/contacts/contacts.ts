import type { Requester } from "../../auth/requester.ts";
import { refuseSuspended } from "../../auth/suspension.ts";
import type { LocalUser } from "../local-user.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type {
  AddContactOutcome,
  Contact,
  ContactAddress,
  ContactBinding,
  ContactStore,
  ReplaceContactsOutcome,
} from "../../storage/contacts.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { Logger } from "../../telemetry/log.ts";
import { type ContactValidations, notProven, type ValidationCredentials } from "./contact-validations.ts";
import type { IdentityAccess, IdentityServers } from "./identity-servers.ts";

/** Told of an address that has come into an account. */
export type ContactAdded = (user: LocalUser, contact: ContactAddress) => void;

/** Whether identity servers no longer know an address (`id_server_unbind_result`). */
export type UnbindResult = "success" | "no-support";

export interface ContactsParts {
  readonly store: ContactStore;
  readonly validations: ContactValidations;
  readonly identityServers: IdentityServers;
  readonly clock: Clock;
  readonly log: Logger;
  /** Whether users may change their own addresses. */
  readonly areChangeable: boolean;
}

/** The addresses in users' accounts (client-server API, "Adding Account Administrative Contact Information"). */
export class Contacts {
  readonly #parts: ContactsParts;
  readonly #followers: ContactAdded[] = [];

  constructor(parts: ContactsParts) {
    this.#parts = parts;
  }

  /** Calls back with every address that comes into an account. The callback must not throw. */
  follow(follower: ContactAdded): void {
    this.#followers.push(follower);
  }

  /** To be called when somebody has registered with an address. */
  announce(user: LocalUser, contact: ContactAddress): void {
    for (const follower of this.#followers) follower(user, contact);
  }

  list({ userNid }: LocalUser): Promise<Contact[]> {
    return this.#parts.store.list(userNid);
  }

  /** @throws MatrixError M_FORBIDDEN where users may not change their addresses */
  checkChangeable(): void {
    if (this.#parts.areChangeable) return;
    throw new MatrixError("M_FORBIDDEN", "Addresses are managed by the administrators of this server");
  }

  /** What is to be asked before a user confirms who they are. @throws MatrixError M_THREEPID_AUTH_FAILED */
  async checkProven(credentials: ValidationCredentials): Promise<void> {
    if (!(await this.#parts.validations.isProven(credentials, "add"))) throw notProven();
  }

  /** @throws MatrixError M_THREEPID_AUTH_FAILED, M_THREEPID_IN_USE, M_TOO_LARGE, M_FORBIDDEN */
  async add(user: LocalUser, credentials: ValidationCredentials): Promise<void> {
    this.checkChangeable();
    const { validations, store, clock } = this.#parts;
    const { medium, address, validatedTs } = await validations.take(credentials, "add");
    const outcome = await store.add(user.userNid, { medium, address, validatedTs, addedTs: clock.nowMs() });
    checkStored(outcome);
    this.announce(user, { medium, address });
  }

  /**
   * Gives an account these addresses and no others, as an administrator wishes: nobody has proved them.
   * @throws MatrixError M_THREEPID_IN_USE, M_TOO_LARGE
   */
  async replace(user: LocalUser, wanted: readonly ContactAddress[]): Promise<void> {
    const { store, clock } = this.#parts;
    const before = await store.list(user.userNid);
    const nowTs = clock.nowMs();
    const contacts = wanted.map(({ medium, address }) => ({
      medium,
      address,
      validatedTs: nowTs,
      addedTs: nowTs,
    }));
    checkStored(await store.replace(user.userNid, contacts));
    for (const contact of wanted) if (!before.some(isSame(contact))) this.announce(user, contact);
    const gone = before.filter((contact) => !wanted.some(isSame(contact)));
    const bindings = await Promise.all(gone.map((contact) => this.#bindings(user, contact, undefined)));
    await this.#unbindAll(user, bindings.flat());
  }

  /**
   * Removes an address from the account, and from the identity server that knows it.
   * @param identityServer the one that the client names; otherwise the address is taken from where it was bound by way of
   *   this server
   * @throws MatrixError M_THREEPID_NOT_FOUND, M_FORBIDDEN, M_USER_SUSPENDED
   */
  async remove(
    user: LocalUser & Pick<Requester, "isSuspended">,
    contact: ContactAddress,
    identityServer: string | undefined,
  ): Promise<UnbindResult> {
    this.checkChangeable();
    // Who is suspended may "change or add admin contacts, but not remove".
    refuseSuspended(user);
    if (!(await this.#parts.store.remove(user.userNid, contact))) {
      throw new MatrixError("M_THREEPID_NOT_FOUND", "Your account does not have this address");
    }
    const bindings = await this.#bindings(user, contact, identityServer);
    return this.#unbindAll(user, bindings);
  }

  /**
   * Has an identity server publish an address that was proved to it.
   * @throws MatrixError M_SERVER_NOT_TRUSTED, M_TOO_LARGE; IdentityServerError
   */
  async bind(user: LocalUser, access: IdentityAccess, credentials: ValidationCredentials): Promise<void> {
    const { identityServers, store } = this.#parts;
    const identityServer = identityServers.trusted(access.identityServer);
    const trusted = { ...access, identityServer };
    const contact = await identityServers.bind(trusted, credentials, user.userId);
    const binding = { ...contact, identityServer };
    if (await store.addBinding(user.userNid, binding)) return;
    await identityServers.unbind(identityServer, user.userId, contact);
    throw new MatrixError(
      "M_TOO_LARGE",
      "You have published as many addresses as you may: take one back first",
    );
  }

  /** @throws IdentityServerError what the identity server refuses */
  async unbind(
    user: LocalUser,
    contact: ContactAddress,
    identityServer: string | undefined,
  ): Promise<UnbindResult> {
    const bindings = await this.#bindings(user, contact, identityServer);
    if (bindings.length === 0) return "no-support";
    const outcomes = await Promise.all(bindings.map((binding) => this.#unbind(user, binding)));
    return outcomes.every(Boolean) ? "success" : "no-support";
  }

  /**
   * To be called with what {@link ContactStore.bindings} had before the account ended: takes all addresses back.
   * An account ends whether identity servers are there or not.
   */
  async #unbindAll(user: LocalUser, bindings: readonly ContactBinding[]): Promise<UnbindResult> {
    const outcomes = await Promise.allSettled(bindings.map((binding) => this.#unbind(user, binding)));
    for (const outcome of outcomes) {
      if (outcome.status === "fulfilled") continue;
      this.#parts.log.warn(
        { err: outcome.reason as unknown, userId: user.userId },
        "an address is still published",
      );
    }
    const isDone = bindings.length > 0 && outcomes.every((o) => o.status === "fulfilled" && o.value);
    return isDone ? "success" : "no-support";
  }

  /** Takes back all that was published for an account that ends. Nothing published is nothing left over. */
  async withdrawAll(user: LocalUser, identityServer?: string): Promise<() => Promise<UnbindResult>> {
    const bindings = await this.#parts.store.bindings(user.userNid);
    const named = bindings.filter((b) => identityServer === undefined || b.identityServer === identityServer);
    return () => (bindings.length === 0 ? Promise.resolve("success") : this.#unbindAll(user, named));
  }

  async #bindings(
    { userNid }: LocalUser,
    { medium, address }: ContactAddress,
    named: string | undefined,
  ): Promise<ContactBinding[]> {
    const { store, identityServers } = this.#parts;
    if (named === undefined) {
      const bindings = await store.bindings(userNid);
      return bindings.filter(isSame({ medium, address }));
    }
    return [{ medium, address, identityServer: identityServers.trusted(named) }];
  }

  /** False when the identity server does not take addresses back, or may not be asked any more. */
  async #unbind({ userNid, userId }: LocalUser, binding: ContactBinding): Promise<boolean> {
    const { identityServers, store } = this.#parts;
    if (!identityServers.isTrusted(binding.identityServer)) return false;
    if (!(await identityServers.unbind(binding.identityServer, userId, binding))) return false;
    await store.removeBinding(userNid, binding);
    return true;
  }
}

function isSame({ medium, address }: ContactAddress) {
  return (other: ContactAddress): boolean => other.medium === medium && other.address === address;
}

function checkStored(outcome: AddContactOutcome | ReplaceContactsOutcome): void {
  if (outcome === "in-use") throw new MatrixError("M_THREEPID_IN_USE", "Another account has this address");
  if (outcome !== "too-many") return;
  throw new MatrixError("M_TOO_LARGE", "An account cannot have that many addresses: remove another first");
}
