import type { AccountStore } from "../storage/accounts.ts";
import type { ContactAddress, ContactStore } from "../storage/contacts.ts";
import { type IdentifiesUser, namedContact, namedUser } from "./user-identifier.ts";

/** Finds users by the addresses in their accounts (client-server API, "Identifier types"). */
export class ContactOwners {
  readonly #contacts: Pick<ContactStore, "ownerOf">;
  readonly #accounts: Pick<AccountStore, "findByNid">;

  constructor(contacts: Pick<ContactStore, "ownerOf">, accounts: Pick<AccountStore, "findByNid">) {
    this.#contacts = contacts;
    this.#accounts = accounts;
  }

  /**
   * The text by which a client names a user of this server, whatever it calls them: a user ID or localpart. An address
   * that is nobody's is a name that nobody has, so that it is answered as a wrong name is, and as late.
   * @returns `undefined` when the client names nobody
   * @throws MatrixError M_INVALID_PARAM
   */
  async nameOf(who: IdentifiesUser): Promise<string | undefined> {
    const contact = namedContact(who);
    if (!contact) return namedUser(who);
    return (await this.#userIdOf(contact)) ?? `${contact.medium}:${contact.address}`;
  }

  async #userIdOf(contact: ContactAddress): Promise<string | undefined> {
    const userNid = await this.#contacts.ownerOf(contact);
    return userNid === undefined ? undefined : (await this.#accounts.findByNid(userNid))?.userId;
  }
}
