/** What kind of address it is (appendices, "3PID Types"). */
export type ContactMedium = "email" | "msisdn";

/** An address in its canonical form. */
export interface ContactAddress {
  readonly medium: ContactMedium;
  readonly address: string;
}

/** An address of a user who has proved that it is theirs (client-server API, "Adding Account Administrative Contact Information"). */
export interface Contact extends ContactAddress {
  readonly validatedTs: number;
  readonly addedTs: number;
}

/** An address that an identity server has been told to be a user's. */
export interface ContactBinding extends ContactAddress {
  /** Host name, with a port if it has one. */
  readonly identityServer: string;
}

export type AddContactOutcome = "added" | "in-use" | "too-many";
export type ReplaceContactsOutcome = "replaced" | "in-use" | "too-many";

/** The addresses of users: each belongs to one of them at most. They go with their account. */
export interface ContactStore {
  /** The user whose address it is. */
  ownerOf(contact: ContactAddress): Promise<number | undefined>;
  /** A user's addresses, in the order of their being added. */
  list(userNid: number): Promise<Contact[]>;
  /** Gives a user an address. One that they have already is validated anew. */
  add(userNid: number, contact: Contact): Promise<AddContactOutcome>;
  /** Gives a user these addresses and no others; those that they have already stay as they are. All or nothing. */
  replace(userNid: number, contacts: readonly Contact[]): Promise<ReplaceContactsOutcome>;
  /** False when the user did not have it. */
  remove(userNid: number, contact: ContactAddress): Promise<boolean>;
  bindings(userNid: number): Promise<ContactBinding[]>;
  /** Remembers where an address has been bound, so that it can be unbound. False when the user has too many. */
  addBinding(userNid: number, binding: ContactBinding): Promise<boolean>;
  removeBinding(userNid: number, binding: ContactBinding): Promise<void>;
}
